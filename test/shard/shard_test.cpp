#include "shard/shard.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include "expect_refused.hpp"
#include "shard/random_documents.hpp"
#include "shard/shard_kinds.hpp"

namespace cpbench {
namespace {

std::vector<std::int64_t> joined(const std::vector<Tokens>& shards) {
  std::vector<std::int64_t> rows;
  for (const Tokens& shard : shards) {
    const auto part = expand(shard);
    rows.insert(rows.end(), part.begin(), part.end());
  }
  return rows;
}

void expect_partition(const std::vector<Tokens>& shards, std::int64_t seq_len) {
  auto tokens = joined(shards);
  std::sort(tokens.begin(), tokens.end());
  std::vector<std::int64_t> expected(static_cast<std::size_t>(seq_len));
  std::iota(expected.begin(), expected.end(), 0);
  ASSERT_EQ(tokens, expected);
}

TEST(Shard, RingPositionsPartitionTheSequence) {
  std::mt19937_64 random(4);
  for (const ShardKind kind : kShardKinds) {
    for (int positions = 1; positions <= 9; ++positions) {
      for (const std::int64_t seq_len : {1, 2, 3, 7, 17, 31, 64, 97}) {
        for (const Documents& documents : {Documents::whole(seq_len), random_documents(random, seq_len, 20)}) {
          const auto shards = shard_over_ring(kind, documents, positions);
          ASSERT_EQ(shards.size(), static_cast<std::size_t>(positions));
          expect_partition(shards, seq_len);
        }
      }
    }
  }
}

TEST(Shard, PiecesDifferByOneTokenPerChunk) {
  for (const ShardKind kind : kShardKinds) {
    const int chunks = kind == ShardKind::kZigzag || kind == ShardKind::kZigzagDocs ? 2 : 1;
    for (int positions = 1; positions <= 9; ++positions) {
      for (std::int64_t seq_len = 1; seq_len < 60; ++seq_len) {
        const auto shards = shard_over_ring(kind, Documents::whole(seq_len), positions);
        const auto [least, most] = std::minmax_element(
            shards.begin(), shards.end(), [](const Tokens& a, const Tokens& b) { return count_of(a) < count_of(b); });
        EXPECT_LE(count_of(*most) - count_of(*least), chunks);
      }
    }
  }
}

TEST(Shard, KnownShards) {
  const Documents documents = Documents::from_lengths(std::vector<std::int64_t>{8, 5}, 13);
  using Shards = std::vector<Tokens>;
  EXPECT_EQ(shard_over_ring(ShardKind::kContiguous, documents, 2), (Shards{{{0, 7, 1}}, {{7, 6, 1}}}));
  EXPECT_EQ(shard_over_ring(ShardKind::kStriped, documents, 2), (Shards{{{0, 7, 2}}, {{1, 6, 2}}}));
  // 13 tokens in chunks of 4, 3, 3, 3: the first and last chunk, and the two inner ones, which are neighbours.
  EXPECT_EQ(shard_over_ring(ShardKind::kZigzag, documents, 2), (Shards{{{0, 4, 1}, {10, 3, 1}}, {{4, 6, 1}}}));
  // 8 tokens in chunks of 2; 5 in chunks of 2, 1, 1, 1. Tokens 6..9 of position 0 join across the documents' border.
  EXPECT_EQ(shard_over_ring(ShardKind::kZigzagDocs, documents, 2),
            (Shards{{{0, 2, 1}, {6, 4, 1}, {12, 1, 1}}, {{2, 4, 1}, {10, 2, 1}}}));
}

TEST(Shard, PlacesJoinToTheRingPosition) {
  std::mt19937_64 random(5);
  for (const ShardKind kind : kShardKinds) {
    for (const RankOrder order : {RankOrder::kUlyssesInner, RankOrder::kRingInner}) {
      for (int ulysses = 1; ulysses <= 4; ++ulysses) {
        for (int ring = 1; ring <= 9; ++ring) {
          const std::int64_t seq_len = std::uniform_int_distribution<std::int64_t>(1, 90)(random);
          const Documents documents = random_documents(random, seq_len, 40);
          const Grid grid{ulysses, 1, ring, order};
          const auto shards = shard_over_grid(kind, documents, grid);
          expect_partition(shards, seq_len);
          const auto positions = shard_over_ring(kind, documents, ring);
          for (int position = 0; position < ring; ++position) {
            std::vector<Tokens> places;
            for (int place = 0; place < ulysses; ++place) {
              places.push_back(shards[static_cast<std::size_t>(grid.rank_of(place, position))]);
            }
            ASSERT_EQ(joined(places), expand(positions[static_cast<std::size_t>(position)]));
          }
        }
      }
    }
  }
}

TEST(Shard, VeryLongSequences) {
  const std::int64_t seq_len = Documents::kMaxSeqLen;
  for (const ShardKind kind : kShardKinds) {
    std::int64_t total = 0;
    for (const Tokens& shard : shard_over_ring(kind, Documents::whole(seq_len), 1023)) total += count_of(shard);
    EXPECT_EQ(total, seq_len);
  }
}

TEST(Shard, NamesAreInverses) {
  for (const ShardKind kind : kShardKinds) EXPECT_EQ(parse_shard(name_of(kind)), kind);
  expect_refused([] { parse_shard("zig-zag"); },
                 {"unknown shard \"zig-zag\"", "did you mean \"zigzag\"?", "zigzag-docs"});
}

TEST(Shard, NeedsARing) { EXPECT_THROW(shard_over_ring(ShardKind::kZigzag, Documents::whole(8), 0), std::logic_error); }

}  // namespace
}  // namespace cpbench
