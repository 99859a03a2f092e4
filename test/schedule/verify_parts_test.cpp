// The parts of verify, each against a plain version of itself.
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <random>

#include "schedule/peer_list.hpp"
#include "schedule/region_map.hpp"
#include "schedule/verify/band.hpp"
#include "schedule/verify/box_overlap.hpp"
#include "schedule/verify/ownership.hpp"
#include "schedule/verify/row_maps.hpp"
#include "schedule/verify/tile_index.hpp"
#include "shard/shard.hpp"

namespace cpbench::verification {
namespace {

using Random = std::mt19937_64;

std::int64_t between(Random& random, std::int64_t low, std::int64_t high) {
  return low + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(high - low + 1));
}

Tile random_tile(Random& random) {
  Tile t{.q_begin = between(random, 0, 5),
         .q_count = between(random, 1, 7),
         .k_begin = between(random, 0, 5),
         .k_count = between(random, 1, 7),
         .lo = 0,
         .hi = 0};
  t.lo = between(random, -(t.q_count - 1), t.k_count - 1);
  t.hi = between(random, t.lo, t.k_count - 1);
  return t;
}

using RowPair = std::pair<std::int64_t, std::int64_t>;
std::vector<RowPair> row_pairs(const Tile& t) {
  std::vector<RowPair> pairs;
  for (std::int64_t i = 0; i < t.q_count; ++i) {
    for (std::int64_t j = 0; j < t.k_count; ++j) {
      if (i + t.lo <= j && j <= i + t.hi) pairs.emplace_back(t.q_begin + i, t.k_begin + j);
    }
  }
  return pairs;
}

TEST(Band, CountsClipsAndTransposesAsEnumerated) {
  Random random(1);
  for (int n = 0; n < 2000; ++n) {
    const Tile t = random_tile(random);
    std::vector<RowPair> pairs = row_pairs(t);
    EXPECT_EQ(count_pairs(t), static_cast<int128>(pairs.size()));

    std::vector<RowPair> swapped = row_pairs(transposed(t));
    for (auto& [q, k] : swapped) std::swap(q, k);
    std::ranges::sort(swapped);
    EXPECT_EQ(swapped, pairs);

    const std::int64_t q = between(random, 0, 8), k = between(random, 0, 8);
    const std::int64_t q_end = q + between(random, 0, 6), k_end = k + between(random, 0, 6);
    std::erase_if(
        pairs, [&](const RowPair& p) { return p.first < q || p.first >= q_end || p.second < k || p.second >= k_end; });
    const Tile part = keys_of(rows_of(t, q, q_end), k, k_end);
    EXPECT_EQ(row_pairs(part), pairs);
    EXPECT_EQ(count_pairs(part), static_cast<int128>(pairs.size()));
    EXPECT_EQ(pairs_of(part), static_cast<int128>(pairs.size()));
  }
}

TEST(Band, CountsMorePairsThan64BitsHold) {
  const std::int64_t n = 10'000'000'000;
  EXPECT_EQ(count_pairs({0, n, 0, n, -(n - 1), 0}), int128{n} * (n + 1) / 2);
}

TEST(Band, AllowedAgreesWithTheProblemForAnyStrides) {
  Random random(2);
  int allowed = 0;
  constexpr std::int64_t kTokens = 60;
  const std::array masks = {Mask::full(), Mask::causal(), Mask::window(12, 0), Mask::window(9, 14)};
  const std::array<std::int64_t, 3> lengths = {25, 15, 20};
  for (int n = 0; n < 4000; ++n) {
    Problem p;
    p.seq_len = kTokens;
    p.mask = masks[random() % masks.size()];
    p.documents = n % 2 == 0 ? Documents::whole(kTokens) : Documents::from_lengths(lengths, kTokens);
    const Tile t = random_tile(random);
    const TokenRun q{0, 12, between(random, 0, 26), between(random, 1, 3)};
    const TokenRun k{0, 12, between(random, 0, 26), between(random, 1, 3)};
    bool each_allowed = true, one_document = true;
    std::int64_t document = -1;
    for (const auto& [i, j] : row_pairs(t)) {
      const std::int64_t query = q.first + i * q.stride, key = k.first + j * k.stride;
      each_allowed = each_allowed && p.allows(query, key);
      const std::int64_t here = p.documents.index_of(query);
      one_document = one_document && (document < 0 || document == here);
      document = here;
    }
    EXPECT_EQ(all_allowed(p, t, q, k), each_allowed && one_document);
    allowed += each_allowed ? 1 : 0;
  }
  EXPECT_GT(allowed, 500);
}

TEST(Boxes, OverlapIsFoundExactlyWhereThereIsOne) {
  Random random(3);
  int overlapping = 0;
  for (int n = 0; n < 3000; ++n) {
    std::vector<Box> boxes(random() % 24);
    const std::int64_t space = between(random, 4, 40);
    const bool apart = n % 2 == 0;  // events differ in their partners
    for (Box& b : boxes) {
      b.event = static_cast<std::uint32_t>(between(random, 0, 2));
      for (std::size_t axis = 0; axis < Box::kAxes; ++axis) {
        b.begin[axis] = between(random, 0, space);
        if (apart && axis == Box::kAxes - 1) b.begin[axis] += b.event * (space + 6);
        b.end[axis] = b.begin[axis] + between(random, 1, 6);
      }
    }
    if (apart) std::ranges::stable_sort(boxes, {}, &Box::event);
    const auto meet = [](const Box& a, const Box& b) {
      bool all = true;
      for (std::size_t axis = 0; axis < Box::kAxes; ++axis) {
        all = all && a.begin[axis] < b.end[axis] && b.begin[axis] < a.end[axis];
      }
      return all;
    };
    bool expected = false;
    for (std::size_t i = 0; i < boxes.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) expected = expected || meet(boxes[i], boxes[j]);
    }
    const auto found = find_overlap(boxes);
    ASSERT_EQ(found.has_value(), expected);
    EXPECT_TRUE(!found || meet(found->first, found->second));
    overlapping += expected ? 1 : 0;
  }
  EXPECT_GT(overlapping, 300);
  EXPECT_LT(overlapping, 2700);
}

TEST(RegionMap, HoldsWhatAnArrayHolds) {
  constexpr std::int64_t kRows = 9;
  constexpr std::int32_t kHeads = 5;
  Random random(4);
  for (int n = 0; n < 200; ++n) {
    RegionMap<int> map({.role = Role::kQ, .dtype = DType::kFp32, .heads = kHeads, .dim = 1, .dim_v = 0, .rows = kRows},
                       0);
    std::array<std::array<int, kHeads>, kRows> plain{};
    for (int change = 1; change < 30; ++change) {
      Region r{.buffer = 0};
      r.row_begin = between(random, 0, kRows - 1);
      r.row_count = between(random, 0, kRows - r.row_begin);
      r.head_begin = static_cast<std::int32_t>(between(random, 0, kHeads - 1));
      r.head_count = static_cast<std::int32_t>(between(random, 0, kHeads - r.head_begin));
      const bool assigns = random() % 2 == 0;
      if (assigns) map.assign(r, change);
      if (!assigns) map.update(r, [](int& v) { v += 100; });
      for (std::int64_t row = r.row_begin; row < r.row_end(); ++row) {
        for (std::int32_t head = r.head_begin; head < r.head_end(); ++head) {
          int& v = plain[static_cast<std::size_t>(row)][static_cast<std::size_t>(head)];
          v = assigns ? change : v + 100;
        }
      }
      int visited = 0;
      map.visit(r, [&](const RegionMap<int>::Cell& c) {
        for (std::int64_t row = c.row_begin; row < c.row_end; ++row) {
          for (std::int32_t head = c.head_begin; head < c.head_end; ++head, ++visited) {
            EXPECT_EQ(c.value, plain[static_cast<std::size_t>(row)][static_cast<std::size_t>(head)]);
          }
        }
      });
      EXPECT_EQ(visited, r.row_count * r.head_count);
    }
    map.visit({0, 0, kHeads, 0, kRows}, [&](const RegionMap<int>::Cell& c) {
      EXPECT_EQ(c.value, plain[static_cast<std::size_t>(c.row_begin)][static_cast<std::size_t>(c.head_begin)]);
    });
  }
}

bool partitions(const std::vector<Tokens>& tokens, std::int64_t seq_len) {
  Faults faults;
  check_partition(tokens, seq_len, faults);
  return faults.none();
}

TEST(Ownership, AcceptsEveryShardAndNothingElse) {
  Random random(5);
  int wrong = 0;
  for (int n = 0; n < 2000; ++n) {
    constexpr std::array kShards = {ShardKind::kContiguous, ShardKind::kZigzag, ShardKind::kStriped,
                                    ShardKind::kZigzagDocs};
    const std::int64_t seq_len = between(random, 1, 40);
    const std::vector<std::int64_t> lengths = {(seq_len + 2) / 3, seq_len - (seq_len + 2) / 3};
    const Documents documents = lengths[1] > 0 ? Documents::from_lengths(lengths, seq_len) : Documents::whole(seq_len);
    std::vector<Tokens> tokens =
        shard_over_ring(kShards[random() % 4], documents, static_cast<int>(between(random, 1, 6)));
    EXPECT_TRUE(partitions(tokens, seq_len));

    Tokens& damaged = tokens[random() % tokens.size()];
    if (damaged.empty()) continue;
    Segment& s = damaged[random() % damaged.size()];
    std::int64_t& field = std::array{std::ref(s.first), std::ref(s.count), std::ref(s.stride)}[random() % 3];
    field += random() % 2 == 0 ? 1 : -1;
    std::vector<int> owners(static_cast<std::size_t>(seq_len), 0);
    bool right = true;
    for (const Tokens& rows : tokens) {
      for (const Segment& segment : rows) {
        right = right && segment.count > 0 && segment.stride > 0;
        for (std::int64_t i = 0; right && i < segment.count; ++i) {
          right =
              segment.at(i) >= 0 && segment.at(i) < seq_len && ++owners[static_cast<std::size_t>(segment.at(i))] == 1;
        }
      }
    }
    right = right && std::ranges::count(owners, 1) == seq_len;
    EXPECT_EQ(partitions(tokens, seq_len), right);
    wrong += right ? 0 : 1;
  }
  EXPECT_GT(wrong, 1000);
}

TEST(Ownership, TakesLongSequences) {
  const std::int64_t seq_len = 10'000'000'019;
  for (const ShardKind kind : {ShardKind::kZigzag, ShardKind::kStriped}) {
    std::vector<Tokens> tokens = shard_over_ring(kind, Documents::whole(seq_len), 1000);
    EXPECT_TRUE(partitions(tokens, seq_len));
    ++tokens[500].front().first;
    EXPECT_FALSE(partitions(tokens, seq_len));
  }
}

TEST(RowMaps, KnowPositionsTokensAndRepetitions) {
  const std::vector<Tokens> tokens = {{{0, 4, 2}}, {{1, 4, 2}}};  // even tokens, then odd ones
  const Positions positions(tokens);
  EXPECT_EQ(positions.token_at(3), 6);
  EXPECT_EQ(positions.token_at(4), 1);

  RowMaps maps(positions);
  std::vector<RowRun> runs = {{0, 2, 2}, {2, 4, 4}, {6, 8, 0}};
  merge_neighbours(runs);
  EXPECT_EQ(runs, (std::vector<RowRun>{{0, 4, 2}, {6, 8, 0}}));
  const RowMapId id = maps.intern(runs);
  EXPECT_EQ(maps.intern(runs), id);
  const RowMap& map = maps[id];
  EXPECT_TRUE(map.injective);
  EXPECT_EQ(map.rows(), 6);
  std::map<std::int64_t, std::int64_t> token_of;
  for (const TokenRun& run : map.tokens) {
    for (std::int64_t row = run.row_begin; row < run.row_end; ++row) {
      token_of[row] = run.first + (row - run.row_begin) * run.stride;
    }
  }
  EXPECT_EQ(token_of, (std::map<std::int64_t, std::int64_t>{{0, 4}, {1, 6}, {2, 1}, {3, 3}, {6, 0}, {7, 2}}));
  EXPECT_FALSE(maps[maps.intern({{0, 2, 3}, {3, 4, 4}})].injective);
}

TEST(PeerList, FindsTheIndexthTransferWithAPeer) {
  Random random(6);
  for (int n = 0; n < 300; ++n) {
    PagedVector<Transfer> transfers;
    const auto count = static_cast<std::int64_t>(random() % 12);
    for (std::int64_t i = 0; i < count; ++i) {
      transfers.push_back({static_cast<std::int32_t>(random() % 4), {.row_begin = i}});
    }
    PeerList list;
    list.assign({transfers.begin(), transfers.end()});
    for (int question = 0; question < 20; ++question) {
      const int peer = static_cast<int>(random() % 5);
      std::size_t index = random() % 4;
      const std::optional<std::size_t> found = list.find(peer, index);
      const auto expected =
          std::ranges::find_if(transfers, [&](const Transfer& t) { return t.peer == peer && index-- == 0; });
      ASSERT_EQ(found.has_value(), expected != transfers.end());
      EXPECT_TRUE(!found || transfers[*found].region == expected->region);
    }
  }
}

TEST(TileIndex, LeavesOutNoTileThatTouchesTheKeys) {
  Random random(7);
  std::vector<Tile> tiles;
  for (int n = 0; n < 200; ++n) {
    tiles.push_back(random_tile(random));
    tiles.back().k_begin = between(random, 0, 500);
  }
  TileIndex index;
  for (std::int64_t begin = 0; begin < 500; begin += 7) {
    const std::int64_t end = begin + between(random, 1, 20);
    const auto touches = [&](const Tile& t) { return t.k_begin < end && t.k_end() > begin; };
    const auto near = index.near_keys(tiles, begin, end);
    EXPECT_EQ(std::ranges::count_if(near, touches), std::ranges::count_if(tiles, touches));
    EXPECT_LT(near.size(), tiles.size() / 4);
  }
}

}  // namespace
}  // namespace cpbench::verification
