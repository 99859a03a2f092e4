#include "backend/cpu/band.hpp"

#include <gtest/gtest.h>

#include <random>

namespace cpbench {
namespace {

/// Every question that a block asks, against the tile's own definition, pair by pair.
class BlockBandTest : public testing::Test {
 protected:
  bool sees(int row, int key) const {
    const std::int64_t i = row0_ + row - tile_.q_begin, j = key0_ + key - tile_.k_begin;
    return i >= 0 && i < tile_.q_count && j >= 0 && j < tile_.k_count && i + tile_.lo <= j && j <= i + tile_.hi;
  }
  BlockBand band() const { return BlockBand::of(tile_, row0_, kRows, key0_, kKeys); }

  static constexpr int kRows = 12, kKeys = 16;
  Tile tile_{};
  std::int64_t row0_ = 0, key0_ = 0;
};

TEST_F(BlockBandTest, AgreesWithTheTile) {
  std::mt19937 random(3);
  const auto pick = [&](std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random);
  };
  for (int round = 0; round < 3000; ++round) {
    const std::int64_t q_count = pick(1, 40), k_count = pick(1, 40);
    const std::int64_t lo = pick(-(q_count - 1), k_count - 1), hi = pick(lo, k_count - 1);
    tile_ = {pick(0, 20), q_count, pick(0, 20), k_count, lo, hi};
    row0_ = kRows * pick(0, 4);
    key0_ = kKeys * pick(0, 3);
    const BlockBand block = band();
    const int row = static_cast<int>(pick(0, kRows - 4)), key = static_cast<int>(pick(0, kKeys - 4));

    bool any = false, full = true;
    for (int i = 0; i < kRows; ++i) {
      for (int j = 0; j < kKeys; ++j) {
        any |= sees(i, j);
        if (i >= row && i < row + 4 && j >= key && j < key + 4) full &= sees(i, j);
        const BlockRange keys = block.keys_of(i, i + 1), rows = block.rows_of(j, j + 1);
        EXPECT_EQ(sees(i, j), j >= keys.begin && j < keys.end);
        EXPECT_EQ(sees(i, j), i >= rows.begin && i < rows.end);
        if (sees(i, j) && i >= row && i < row + 4) {
          EXPECT_TRUE(j >= block.keys_of(row, row + 4).begin && j < block.keys_of(row, row + 4).end);
        }
        if (sees(i, j) && j >= key && j < key + 4) {
          EXPECT_TRUE(i >= block.rows_of(key, key + 4).begin && i < block.rows_of(key, key + 4).end);
        }
      }
    }
    EXPECT_EQ(block.keys_of_all(row, row + 4).contains({key, key + 4}), full);
    EXPECT_EQ(block.empty(), !any);
  }
}

/// The bands of unbounded masks have offsets as large as the tile; blocks far away from them must not overflow.
TEST_F(BlockBandTest, HoldsForLongSequences) {
  const std::int64_t length = std::int64_t{1} << 40;
  tile_ = {0, length, 0, length, -(length - 1), 0};
  row0_ = length - kRows;
  key0_ = 0;
  EXPECT_TRUE(band().keys_of_all(0, kRows).contains({0, kKeys}));
  row0_ = 0;
  key0_ = length - kKeys;
  EXPECT_TRUE(band().empty());
}

}  // namespace
}  // namespace cpbench
