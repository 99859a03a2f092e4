// The kernel that merges partial results, where one of the two rows, or either, saw no key.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "backend/cuda/elementwise.hpp"
#include "vgpu/support/device_array.hpp"
#include "vgpu/support/orders.hpp"

namespace cpbench::test {
namespace {

constexpr float kNothing = -std::numeric_limits<float>::infinity();
constexpr std::int64_t kRows = 4, kDim = 8;

TensorView view_of_rows(const vgpu::DeviceArray<float>& array, std::int64_t dim) {
  return {.data = reinterpret_cast<std::byte*>(array.data()),
          .dtype = DType::kFp32,
          .batch = 1,
          .rows = kRows,
          .heads = 1,
          .dim = dim,
          .batch_stride = kRows * dim,
          .row_stride = dim,
          .head_stride = dim};
}

/// A row's elements are all the same.
std::vector<float> rows_of(const std::vector<float>& values) {
  std::vector<float> rows;
  for (const float value : values) rows.insert(rows.end(), kDim, value);
  return rows;
}

TEST(Merge, RowsThatSawNothing) {
  // In turn: both saw keys, one alone, the other alone, neither.
  const std::vector<float> out = {2, 2, 0, 0}, partial_out = {4, 0, 4, 0};
  const std::vector<float> lse = {1, 1, kNothing, kNothing}, partial_lse = {1, kNothing, 1, kNothing};
  vgpu::in_every_order(
      [&] {
        const vgpu::DeviceArray<float> merged(rows_of(out)), merged_lse(lse), other(rows_of(partial_out)),
            other_lse(partial_lse);
        cuda::merge(view_of_rows(merged, kDim), view_of_rows(merged_lse, 1), view_of_rows(other, kDim),
                    view_of_rows(other_lse, 1), HeadMap{.q_begin = 0, .count = 1, .q_global = 0, .kv_global = 0},
                    nullptr);
        EXPECT_EQ(merged.values(), rows_of({3, 2, 4, 0}));
        const std::vector<float> sums = merged_lse.values();
        EXPECT_NEAR(sums[0], 1 + std::log(2.0f), 1e-6);
        EXPECT_EQ(std::vector<float>(sums.begin() + 1, sums.end()), (std::vector<float>{1, 1, kNothing}));
      },
      2);
}

}  // namespace
}  // namespace cpbench::test
