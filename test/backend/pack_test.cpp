#include "backend/cpu/pack.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <vector>

#include "backend/support/dense.hpp"

namespace cpbench::test {
namespace {

constexpr std::int64_t kBatch = 2, kRows = 11, kHeads = 3;

/// A tensor of random numbers, and the packed form of 7 rows of one head, from row 3 on.
class Pack : public testing::TestWithParam<std::tuple<DType, int>> {
 protected:
  Pack() : dtype_(std::get<0>(GetParam())), dim_(std::get<1>(GetParam())) {
    const Buffer buffer{Role::kQ, dtype_, kHeads, dim_, 0, kRows};
    memory_.resize(static_cast<std::size_t>(buffer.bytes(kBatch)));
    view_ = view_of(buffer, Layout::kBshd, kBatch, memory_.data()).first;
    std::mt19937_64 random(1);
    fill_normal(view_, 1, random);
    values_ = read(view_);
  }
  HeadRows rows() const { return {view_, 1, 2, 3, 7}; }
  double value(std::int64_t row, std::int64_t i) const {
    return row < 7 && i < dim_ ? values_.at(1, row + 3, 2)[i] : 0;
  }
  /// An element of a word: half 0 or 1 of a pair.
  static float half(float word, int which) {
    bf16 pair[2];
    std::memcpy(pair, &word, sizeof word);
    return pair[which].to_float();
  }

  DType dtype_;
  int dim_;
  std::vector<std::byte> memory_;
  TensorView view_;
  Dense values_;
};

TEST_P(Pack, Columns) {
  for (const int width : {4, 6, 8}) {
    const std::int64_t padded = round_up(7, width);
    std::vector<float> packed(static_cast<std::size_t>(padded * dim_), std::numeric_limits<float>::quiet_NaN());
    pack_columns(rows(), padded, width, false, 0.5f, packed.data());
    for (std::int64_t row = 0; row < padded; ++row) {
      for (std::int64_t i = 0; i < dim_; ++i) {
        const auto at = static_cast<std::size_t>((row / width * dim_ + i) * width + row % width);
        ASSERT_EQ(packed[at], 0.5 * value(row, i)) << row << " " << i;
      }
    }
    if (dtype_ != DType::kBf16) continue;
    pack_columns(rows(), padded, width, true, 1, packed.data());
    for (std::int64_t row = 0; row < padded; ++row) {
      for (std::int64_t i = 0; i < dim_; ++i) {
        const auto at = static_cast<std::size_t>((row / width * dim_ / 2 + i / 2) * width + row % width);
        ASSERT_EQ(half(packed[at], i % 2), value(row, i)) << row << " " << i;
      }
    }
  }
}

TEST_P(Pack, Rows) {
  const int panel = 32;
  const std::int64_t padded = 10, panels = (dim_ + panel - 1) / panel;
  std::vector<float> packed(static_cast<std::size_t>(padded * panels * panel), std::numeric_limits<float>::quiet_NaN());
  pack_rows(rows(), padded, panel, false, packed.data());
  for (std::int64_t row = 0; row < padded; ++row) {
    for (std::int64_t i = 0; i < panels * panel; ++i) {
      ASSERT_EQ(packed[static_cast<std::size_t>((i / panel * padded + row) * panel + i % panel)], value(row, i));
    }
  }
  if (dtype_ != DType::kBf16) return;
  pack_rows(rows(), padded, panel, true, packed.data());
  for (std::int64_t row = 0; row < padded; ++row) {
    for (std::int64_t i = 0; i < panels * panel; ++i) {
      const auto at = static_cast<std::size_t>((i / panel * padded / 2 + row / 2) * panel + i % panel);
      ASSERT_EQ(half(packed[at], row % 2), value(row, i));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Pack,
                         testing::Combine(testing::Values(DType::kFp32, DType::kBf16, DType::kFp16),
                                          testing::Values(8, 40, 64, 256)));

TEST(PackFp16, WidensEveryNumber) {
  std::vector<fp16> numbers(1 << 16);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i].bits = static_cast<std::uint16_t>(i);
  const std::int64_t dim = 256, rows = static_cast<std::int64_t>(numbers.size()) / dim;
  const TensorView view{reinterpret_cast<std::byte*>(numbers.data()), DType::kFp16, 1, rows, 1, dim, 0, dim, dim};
  std::vector<float> packed(numbers.size());
  pack_rows({view, 0, 0, 0, rows}, rows, static_cast<int>(dim), false, packed.data());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const float expected = numbers[i].to_float();
    if (std::isnan(expected)) {
      EXPECT_TRUE(std::isnan(packed[i])) << i;
    } else {
      EXPECT_EQ(packed[i], expected) << i;
    }
  }
}

}  // namespace
}  // namespace cpbench::test
