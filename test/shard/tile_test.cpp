#include "shard/tile.hpp"

#include <gtest/gtest.h>

#include "shard/random_documents.hpp"
#include "shard/shard_kinds.hpp"

namespace cpbench {
namespace {

// How often each (query row, key row) is attended, from the definition of a tile alone.
std::vector<int> coverage(const std::vector<Tile>& tiles, std::int64_t q_rows, std::int64_t k_rows) {
  std::vector<int> times(static_cast<std::size_t>(q_rows * k_rows));
  for (const Tile& tile : tiles) {
    for (std::int64_t i = 0; i < tile.q_count; ++i) {
      for (std::int64_t j = 0; j < tile.k_count; ++j) {
        if (i + tile.lo > j || j > i + tile.hi) continue;
        ++times.at(static_cast<std::size_t>((tile.q_begin + i) * k_rows + tile.k_begin + j));
      }
    }
  }
  return times;
}

// Trimmed: the first and last row and column have a pair. Clamped: the band ends within the rectangle.
bool canonical(const Tile& tile) {
  const std::int64_t i = tile.q_count - 1;
  const std::int64_t j = tile.k_count - 1;
  const auto row_has_pair = [&](std::int64_t row) { return tile.key_begin(row) < tile.key_end(row); };
  const auto column_has_pair = [&](std::int64_t column) { return column - tile.hi <= i && column - tile.lo >= 0; };
  return i >= 0 && j >= 0 && tile.lo <= tile.hi && tile.lo >= -i && tile.hi <= j && row_has_pair(0) &&
         row_has_pair(i) && column_has_pair(0) && column_has_pair(j);
}

void expect_exact(const Tokens& q, const Tokens& k, const Mask& mask, const Documents& documents) {
  const auto queries = expand(q);
  const auto keys = expand(k);
  const auto tiles = tiles_of(q, k, mask, documents);
  std::vector<int> expected;
  int128 pairs = 0;
  for (const std::int64_t query : queries) {
    for (const std::int64_t key : keys) {
      const bool allowed = mask.allows(query, key) && documents.index_of(query) == documents.index_of(key);
      expected.push_back(allowed ? 1 : 0);
      pairs += allowed ? 1 : 0;
    }
  }
  ASSERT_EQ(coverage(tiles, count_of(q), count_of(k)), expected) << to_string(mask);
  ASSERT_TRUE(pairs_of(tiles) == pairs) << to_string(mask);
  for (const Tile& tile : tiles) ASSERT_TRUE(canonical(tile)) << to_string(mask);
}

std::vector<Mask> some_masks(std::mt19937_64& random) {
  std::uniform_int_distribution<std::int64_t> reach(0, 30);
  return {Mask::full(), Mask::causal(), Mask::window(reach(random), 0), Mask::window(0, reach(random)),
          Mask::window(reach(random), reach(random))};
}

TEST(Tiles, CoverEveryAllowedPairOfAllRanksOnce) {
  std::mt19937_64 random(6);
  for (const ShardKind kind : kShardKinds) {
    for (int ulysses = 1; ulysses <= 4; ++ulysses) {
      for (int ring = 1; ring <= 9; ++ring) {
        const std::int64_t seq_len = std::uniform_int_distribution<std::int64_t>(1, 80)(random);
        const Grid grid{ulysses, 1, ring};
        for (const Documents& documents : {Documents::whole(seq_len), random_documents(random, seq_len, 25)}) {
          const auto shards = shard_over_grid(kind, documents, grid);
          for (const Mask& mask : some_masks(random)) {
            for (const Tokens& q : shards) {
              for (const Tokens& k : shards) ASSERT_NO_FATAL_FAILURE(expect_exact(q, k, mask, documents));
            }
          }
        }
      }
    }
  }
}

// The keys of an all-gather: the tokens of all ranks, one list after the other.
TEST(Tiles, GatheredKeys) {
  std::mt19937_64 random(7);
  for (const ShardKind kind : kShardKinds) {
    for (int ring = 1; ring <= 9; ++ring) {
      for (const std::int64_t seq_len : {1, 5, 13, 64, 79}) {
        for (const Documents& documents : {Documents::whole(seq_len), random_documents(random, seq_len, 9)}) {
          const auto shards = shard_over_ring(kind, documents, ring);
          Tokens gathered;
          for (const Tokens& shard : shards) {
            for (const Segment& segment : shard) append(gathered, segment);
          }
          for (const Mask& mask : some_masks(random)) {
            for (const Tokens& q : shards) ASSERT_NO_FATAL_FAILURE(expect_exact(q, gathered, mask, documents));
          }
        }
      }
    }
  }
}

TEST(Tiles, UnequalStridesAndAnyOrder) {
  std::mt19937_64 random(8);
  const auto draw = [&](std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random);
  };
  const auto random_tokens = [&] {
    Tokens tokens;
    for (std::int64_t i = draw(0, 4); i > 0; --i) append(tokens, {draw(0, 60), draw(1, 6), draw(1, 7)});
    return tokens;
  };
  for (int repetition = 0; repetition < 500; ++repetition) {
    const Documents documents = random_documents(random, 100, 100);
    for (const Mask& mask : some_masks(random)) {
      ASSERT_NO_FATAL_FAILURE(expect_exact(random_tokens(), random_tokens(), mask, documents));
    }
  }
}

TEST(Tiles, KnownTiles) {
  const Documents documents = Documents::whole(100);
  const auto tiles = [&](const Segment& q, const Segment& k, const Mask& mask) {
    return tiles_of({q}, {k}, mask, documents);
  };
  using Tiles = std::vector<Tile>;
  EXPECT_EQ(tiles({0, 8, 1}, {0, 8, 1}, Mask::causal()), (Tiles{{0, 8, 0, 8, -7, 0}}));
  EXPECT_EQ(tiles({8, 8, 1}, {0, 8, 1}, Mask::causal()), (Tiles{{0, 8, 0, 8, -7, 7}}));
  EXPECT_TRUE(tiles({8, 8, 1}, {0, 8, 1}, Mask::causal())[0].full());
  EXPECT_EQ(tiles({0, 8, 1}, {8, 8, 1}, Mask::causal()), Tiles{});
  // Striped over 4: the later position sees its own row of the earlier one, the earlier one only rows before.
  EXPECT_EQ(tiles({1, 5, 4}, {0, 5, 4}, Mask::causal()), (Tiles{{0, 5, 0, 5, -4, 0}}));
  EXPECT_EQ(tiles({0, 5, 4}, {1, 5, 4}, Mask::causal()), (Tiles{{1, 4, 0, 4, -3, 0}}));
  // A window between strides: no token of one class is within 1 of the other, floor < ceiling.
  EXPECT_EQ(tiles({0, 5, 4}, {2, 5, 4}, Mask::window(1, 1)), Tiles{});
  // The window of the first queries of a block reaches back into the last keys of the previous one.
  EXPECT_EQ(tiles({8, 8, 1}, {0, 8, 1}, Mask::window(3, 0)), (Tiles{{0, 3, 5, 3, 0, 2}}));
}

TEST(Tiles, CountPairsInClosedForm) {
  std::mt19937_64 random(9);
  std::uniform_int_distribution<std::int64_t> count(1, 12);
  std::uniform_int_distribution<std::int64_t> bound(-20, 20);
  for (int repetition = 0; repetition < 5000; ++repetition) {
    const Tile tile{3, count(random), 5, count(random), bound(random), bound(random)};
    std::int64_t pairs = 0;
    for (std::int64_t i = 0; i < tile.q_count; ++i) {
      pairs += std::max<std::int64_t>(0, tile.key_end(i) - tile.key_begin(i));
    }
    ASSERT_TRUE(pairs_of(tile) == pairs) << tile.q_count << " " << tile.k_count << " " << tile.lo << " " << tile.hi;
  }
}

// The longest sequence and the widest windows: nothing overflows, which a sanitizer would report, and counts stay
// exact.
TEST(Tiles, VeryLongSequences) {
  const std::int64_t seq_len = Documents::kMaxSeqLen;
  const Documents documents = Documents::whole(seq_len);
  const Mask masks[] = {Mask::full(), Mask::causal(), Mask::window(Mask::kUnbounded - 1, Mask::kUnbounded - 1),
                        Mask::window(seq_len, 0), Mask::window(1, 1)};
  for (const ShardKind kind : kShardKinds) {
    const auto shards = shard_over_ring(kind, documents, 5);
    for (const Mask& mask : masks) {
      int128 pairs = 0;
      for (const Tokens& q : shards) {
        for (const Tokens& k : shards) pairs += pairs_of(tiles_of(q, k, mask, documents));
      }
      EXPECT_TRUE(pairs == attended_pairs(mask, documents)) << to_string(mask) << " " << name_of(kind);
    }
  }
  const Tokens first{{0, 1, 1}};
  const Tokens last{{seq_len - 1, 1, 1}};
  EXPECT_TRUE(tiles_of(first, last, Mask::causal(), documents).empty());
  EXPECT_EQ(tiles_of(last, first, Mask::causal(), documents), (std::vector<Tile>{{0, 1, 0, 1, 0, 0}}));
}

// Thousands of documents, each cut into pieces for every rank: the counts of all rank pairs add up.
TEST(Tiles, ManyDocuments) {
  std::mt19937_64 random(10);
  const std::int64_t seq_len = 200'000;
  const Documents documents = random_documents(random, seq_len, 200);
  ASSERT_GT(documents.count(), 1500);
  for (const ShardKind kind : kShardKinds) {
    const auto shards = shard_over_ring(kind, documents, 8);
    for (const Mask& mask : {Mask::causal(), Mask::window(50, 7)}) {
      int128 pairs = 0;
      for (const Tokens& q : shards) {
        for (const Tokens& k : shards) pairs += pairs_of(tiles_of(q, k, mask, documents));
      }
      EXPECT_TRUE(pairs == attended_pairs(mask, documents)) << to_string(mask) << " " << name_of(kind);
    }
  }
}

}  // namespace
}  // namespace cpbench
