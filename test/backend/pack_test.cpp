#include "backend/cpu/pack.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <vector>

#include "backend/support/dense.hpp"

namespace cpbench::test {
namespace {

constexpr std::int64_t kBatch = 2, kRows = 11, kHeads = 3;

/// A tensor of random numbers, and the packed form of 7 rows of one head, from row 3 on, without the first.
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
  HeadRows rows() const { return {view_, 1, 2, 3, 7, 1}; }
  double value(std::int64_t row, std::int64_t i) const {
    return 1 <= row && row < 7 && i < dim_ ? values_.at(1, row + 3, 2)[i] : 0;
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
  for (const int width : {1, 4, 6, 8}) {
    for (const int more : {0, 16}) {  // words of depth beyond dim
      const std::int64_t padded = round_up(7, width);
      for (const bool pairs : {false, true}) {
        if (pairs && dtype_ != DType::kBf16) continue;
        const int per_word = pairs ? 2 : 1;
        const std::int64_t depth = dim_ / per_word + more;
        const double factor = pairs ? 1 : 0.5;
        std::vector<float> packed(static_cast<std::size_t>(padded * depth), std::numeric_limits<float>::quiet_NaN());
        pack_columns(rows(), padded, width, depth, pairs, static_cast<float>(factor), packed.data());
        for (std::int64_t row = 0; row < padded; ++row) {
          for (std::int64_t i = 0; i < depth * per_word; ++i) {
            const auto at = static_cast<std::size_t>((row / width * depth + i / per_word) * width + row % width);
            const double element = pairs ? half(packed[at], static_cast<int>(i % 2)) : packed[at];
            ASSERT_EQ(element, factor * value(row, i)) << row << " " << i << " width " << width;
          }
        }
      }
    }
  }
}

TEST_P(Pack, Rows) {
  for (const int panel : {1, 32}) {
    for (const bool pairs : {false, true}) {
      if (pairs ? dtype_ != DType::kBf16 : panel == 1) continue;
      const std::int64_t padded = 16, panels = (dim_ + panel - 1) / panel, row_words = padded / (pairs ? 2 : 1);
      std::vector<float> packed(static_cast<std::size_t>(row_words * panels * panel),
                                std::numeric_limits<float>::quiet_NaN());
      pack_rows(rows(), padded, panel, pairs, packed.data());
      for (std::int64_t row = 0; row < padded; ++row) {
        for (std::int64_t i = 0; i < panels * panel; ++i) {
          const std::int64_t word = pairs ? row / 2 : row;
          const auto at = static_cast<std::size_t>((i / panel * row_words + word) * panel + i % panel);
          const double element = pairs ? half(packed[at], static_cast<int>(row % 2)) : packed[at];
          ASSERT_EQ(element, value(row, i)) << row << " " << i << " panel " << panel;
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Pack,
                         testing::Combine(testing::Values(DType::kFp32, DType::kBf16, DType::kFp16),
                                          testing::Values(8, 40, 64, 256)));

TEST(Transpose, OfAPartOfAMatrix) {
  const std::int64_t rows = 8, columns = 12, from_stride = 20, to_stride = 11;
  std::vector<float> from(rows * from_stride), to(columns * to_stride, -1);
  for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<float>(i);
  transpose(from.data(), from_stride, rows, columns, to.data(), to_stride);
  for (std::int64_t i = 0; i < columns; ++i) {
    for (std::int64_t j = 0; j < to_stride; ++j) {
      const float expected = j < rows ? from[static_cast<std::size_t>(j * from_stride + i)] : -1;
      ASSERT_EQ(to[static_cast<std::size_t>(i * to_stride + j)], expected) << i << " " << j;
    }
  }
}

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
