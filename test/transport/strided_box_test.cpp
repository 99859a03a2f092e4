#include "transport/strided_box.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "transport/tensor_block.hpp"

namespace cpbench {
namespace {

using Axes = std::vector<StridedBox::Axis>;
constexpr std::int64_t kBatch = 2, kRows = 5, kRow = 3 * 8 * 4;  // bytes of a row of 3 heads of 8 fp32

TensorBlock block(Layout layout, std::int64_t batch = kBatch) { return {layout, batch, kRows, 3, 8, 16, 0}; }

TEST(StridedBox, WholeTensorIsContiguousInEveryLayout) {
  for (const Layout layout : {Layout::kBshd, Layout::kSbhd, Layout::kBhsd, Layout::kThd}) {
    const TensorBlock kv = block(layout);
    const StridedBox box = strided_box(kv.view.first);
    EXPECT_TRUE(box.contiguous()) << name_of(layout);
    EXPECT_EQ(box.block_bytes, kBatch * kRows * kRow);
  }
}

TEST(StridedBox, RowsAreOneRunPerSequence) {
  const TensorBlock kv = block(Layout::kBshd);
  const StridedBox box = strided_box(kv.view.first.box(1, 2, 0, 3));
  EXPECT_EQ(box.data, kv.view.first.data + kRow);
  EXPECT_EQ(box.block_bytes, 2 * kRow);
  EXPECT_EQ(box.axes, (Axes{{kBatch, kRows * kRow}}));
  const TensorBlock single = block(Layout::kBshd, 1);
  EXPECT_TRUE(strided_box(single.view.first.box(1, 2, 0, 3)).contiguous());
}

TEST(StridedBox, HeadsAreRunsAtRowDistanceAcrossSequences) {
  const TensorBlock kv = block(Layout::kBshd);
  const StridedBox box = strided_box(kv.view.first.box(0, kRows, 1, 2));
  EXPECT_EQ(box.block_bytes, 2 * 8 * 4);
  EXPECT_EQ(box.axes, (Axes{{kBatch * kRows, kRow}}));  // a row follows the last one of the sequence before
}

TEST(StridedBox, AxesFollowMemory) {
  const TensorBlock kv = block(Layout::kSbhd);
  const StridedBox box = strided_box(kv.view.first.box(1, 2, 0, 1));
  EXPECT_EQ(box.block_bytes, 8 * 4);
  EXPECT_EQ(box.axes, (Axes{{kBatch * 2, kRow}}));  // batch inside rows
  const TensorBlock heads_first = block(Layout::kBhsd);
  const StridedBox rows = strided_box(heads_first.view.first.box(1, 2, 0, 3));
  EXPECT_EQ(rows.block_bytes, 2 * 8 * 4);
  EXPECT_EQ(rows.axes, (Axes{{kBatch * 3, kRows * 8 * 4}}));
}

TEST(StridedBox, WholeBlockOfKeysAndValuesIsOneRun) {
  const TensorBlock kv = block(Layout::kBshd);
  const std::vector<StridedBox> boxes = strided_boxes(kv.whole());
  ASSERT_EQ(boxes.size(), 1u);
  EXPECT_EQ(boxes[0].block_bytes, kBatch * kRows * 3 * (8 + 16) * 4);
  EXPECT_EQ(strided_boxes(kv.box(0, 1, 0, 3)).size(), 2u);
}

TEST(StridedCopy, AxesAreOneWhereTheyContinueEachOtherOnBothSides) {
  const TensorBlock kv = block(Layout::kBshd);
  const TensorView from = kv.view.first.box(0, kRows, 1, 2);
  TensorView to = from;  // without gaps
  to.row_stride = 2 * 8;
  to.batch_stride = kRows * to.row_stride;
  const StridedCopy copy = strided_copy(to, from);
  EXPECT_EQ(copy.block_bytes, 2 * 8 * 4);
  EXPECT_EQ(copy.axes, (std::vector<StridedCopy::Axis>{{kBatch * kRows, 2 * 8 * 4, kRow}}));
  to.batch_stride += 8;
  EXPECT_EQ(strided_copy(to, from).axes.size(), 2u);
}

TEST(StridedCopy, IsBetweenEqualShapesAndTypes) {
  const TensorBlock kv = block(Layout::kBshd);
  const TensorView from = kv.view.first;
  EXPECT_THROW(strided_copy(from.box(0, 1, 0, 3), from), std::logic_error);
  TensorView to = from;
  to.dtype = DType::kBf16;
  EXPECT_THROW(strided_copy(to, from), std::logic_error);
}

}  // namespace
}  // namespace cpbench
