// The steps of all blocks together cover the tiles' pairs, each exactly once.
#include "backend/cuda/work_list.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace cpbench::test {
namespace {

using Pairs = std::map<std::pair<std::int64_t, std::int64_t>, int>;

Pairs pairs_by_definition(const std::vector<Tile>& tiles) {
  Pairs pairs;
  for (const Tile& t : tiles) {
    for (std::int64_t i = 0; i < t.q_count; ++i) {
      for (std::int64_t j = t.key_begin(i); j < t.key_end(i); ++j) ++pairs[{t.q_begin + i, t.k_begin + j}];
    }
  }
  return pairs;
}

/// What a kernel that follows the list attends, in all rows of its blocks, also those that there are not.
Pairs pairs_of_list(const WorkList& list, int block_rows, int step) {
  Pairs pairs;
  for (const auto& block : list.blocks) {
    std::int32_t steps = 0;
    for (std::int32_t r = block.range_begin; r < block.range_begin + block.range_count; ++r) {
      const auto& range = list.ranges[static_cast<std::size_t>(r)];
      steps += range.steps;
      for (std::int64_t row = block.row_begin; row < block.row_begin + block_rows; ++row) {
        for (std::int64_t column = range.column_begin; column < range.column_begin + range.steps * step; ++column) {
          if (range.band != WorkList::kNoBand) {
            const auto& band = list.bands[static_cast<std::size_t>(range.band)];
            if (row < band.row_begin || row >= band.row_end || column < band.column_begin ||
                column >= band.column_end || column < row + band.lo || column > row + band.hi) {
              continue;
            }
          }
          ++pairs[{row, column}];
        }
      }
    }
    EXPECT_EQ(steps, block.steps);
  }
  return pairs;
}

void expect_exact(const std::vector<Tile>& tiles, std::int64_t rows, int block_rows, int step) {
  const WorkList list = make_work_list(tiles, rows, block_rows, step);
  EXPECT_EQ(pairs_of_list(list, block_rows, step), pairs_by_definition(tiles));
  EXPECT_TRUE(std::is_sorted(list.blocks.begin(), list.blocks.end(),
                             [](const auto& a, const auto& b) { return a.steps > b.steps; }));
  EXPECT_EQ(list.blocks.size(), static_cast<std::size_t>((rows + block_rows - 1) / block_rows));
}

TEST(WorkList, MasksOnlyTheDiagonalOfACausalTile) {
  const WorkList list = make_work_list(std::vector<Tile>{{0, 512, 0, 512, -511, 0}}, 512, 128, 128);
  ASSERT_EQ(list.blocks.size(), 4u);
  EXPECT_EQ(list.blocks.front().row_begin, 384);
  EXPECT_EQ(list.blocks.front().steps, 4);
  ASSERT_EQ(list.blocks.front().range_count, 2);
  const auto* ranges = &list.ranges[static_cast<std::size_t>(list.blocks.front().range_begin)];
  EXPECT_EQ(ranges[0].steps, 3);
  EXPECT_EQ(ranges[0].band, WorkList::kNoBand);
  EXPECT_EQ(ranges[1].steps, 1);
  EXPECT_EQ(ranges[1].band, 0);
}

TEST(WorkList, MasksNothingOfAFullTileThatFillsItsBlocksAndSteps) {
  const WorkList list = make_work_list(std::vector<Tile>{{0, 256, 64, 256, -255, 255}}, 256, 128, 64);
  ASSERT_EQ(list.ranges.size(), 2u);
  for (const auto& range : list.ranges) EXPECT_EQ(range.band, WorkList::kNoBand);
  EXPECT_EQ(list.column_begin, 64);
  EXPECT_EQ(list.column_end, 320);
}

TEST(WorkList, ListsRowsWithoutTiles) {
  const WorkList list = make_work_list({}, 300, 128, 64);
  ASSERT_EQ(list.blocks.size(), 3u);
  EXPECT_EQ(list.blocks[2].row_begin, 256);
  EXPECT_EQ(list.blocks[2].steps, 0);
}

TEST(WorkList, CoversRandomTilesExactly) {
  std::mt19937_64 random(3);
  const auto pick = [&](std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random);
  };
  for (int round = 0; round < 200; ++round) {
    const std::int64_t rows = pick(1, 90);
    std::vector<Tile> tiles;
    std::int64_t keys = 0;
    for (std::int64_t count = pick(0, 4); count > 0; --count) {
      const std::int64_t q_begin = pick(0, rows - 1), q_count = pick(1, rows - q_begin), k_count = pick(1, 70);
      const std::int64_t lo = pick(-q_count - 3, k_count - 1), hi = pick(lo, k_count + 3);
      tiles.push_back({q_begin, q_count, keys, k_count, lo, hi});
      keys += k_count + pick(0, 3);
    }
    SCOPED_TRACE(round);
    expect_exact(tiles, rows, 16, 8);
    expect_exact(transposed(tiles), keys, 16, 8);
  }
}

}  // namespace
}  // namespace cpbench::test
