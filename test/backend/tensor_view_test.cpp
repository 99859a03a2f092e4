#include "backend/tensor_view.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

namespace cpbench {
namespace {

constexpr std::int64_t kBatch = 3, kRows = 5, kHeads = 2, kDim = 8, kDimV = 16;

/// The index of an element in memory, by the view.
std::int64_t index_of(const TensorView& view, const std::byte* base, std::int64_t b, std::int64_t row,
                      std::int64_t head, std::int64_t i) {
  return (reinterpret_cast<const std::byte*>(view.at<bf16>(b, row, head) + i) - base) / 2;
}

TEST(TensorView, LayoutsOrderTheAxes) {
  std::vector<std::byte> memory(2 * kBatch * kRows * kHeads * (kDim + kDimV));
  const Buffer buffer{Role::kKv, DType::kBf16, kHeads, kDim, kDimV, kRows};
  const std::int64_t b = 2, r = 3, h = 1, i = 5;
  for (const auto& [layout, row_of_dims] :
       {std::pair{Layout::kBshd, (b * kRows + r) * kHeads + h}, std::pair{Layout::kSbhd, (r * kBatch + b) * kHeads + h},
        std::pair{Layout::kBhsd, (b * kHeads + h) * kRows + r},
        std::pair{Layout::kThd, (b * kRows + r) * kHeads + h}}) {
    const BufferView view = view_of(buffer, layout, kBatch, memory.data());
    EXPECT_EQ(index_of(view.first, memory.data(), b, r, h, i), row_of_dims * kDim + i) << name_of(layout);
    EXPECT_EQ(index_of(view.second, memory.data(), b, r, h, i),
              kBatch * kRows * kHeads * kDim + row_of_dims * kDimV + i)
        << name_of(layout);
  }
}

TEST(TensorView, ShapesAreTheSameOrRefused) {
  const TensorView view{.batch = kBatch, .rows = kRows, .heads = kHeads, .dim = kDim};
  TensorView other = view;
  other.dtype = DType::kBf16;
  other.row_stride = 100;
  EXPECT_NO_THROW(check_same_shape(view, other));
  for (std::int64_t TensorView::*const axis :
       {&TensorView::batch, &TensorView::rows, &TensorView::heads, &TensorView::dim}) {
    other = view;
    ++(other.*axis);
    EXPECT_THROW(check_same_shape(view, other), std::logic_error);
  }
}

TEST(TensorView, RowStatisticsAreHeadMajorInEveryLayout) {
  std::vector<std::byte> memory(1000);
  for (const Layout layout : {Layout::kBshd, Layout::kSbhd, Layout::kBhsd, Layout::kThd}) {
    for (const Role role : {Role::kLse, Role::kDelta}) {
      const TensorView view = view_of({role, DType::kFp32, kHeads, 1, 0, kRows}, layout, kBatch, memory.data()).first;
      EXPECT_EQ(view.at<float>(2, 3, 1) - view.at<float>(0, 0, 0), (2 * kHeads + 1) * kRows + 3);
    }
  }
}

TEST(TensorView, ABoxStartsAtItsCorner) {
  std::vector<std::byte> memory(2 * kBatch * kRows * kHeads * kDim);
  const TensorView view =
      view_of({Role::kQ, DType::kBf16, kHeads, kDim, 0, kRows}, Layout::kSbhd, kBatch, memory.data()).first;
  const TensorView box = view.box(2, 3, 1, 1);
  EXPECT_EQ(box.at<bf16>(1, 0, 0), view.at<bf16>(1, 2, 1));
  EXPECT_EQ(box.rows, 3);
  EXPECT_EQ(box.heads, 1);
}

}  // namespace
}  // namespace cpbench
