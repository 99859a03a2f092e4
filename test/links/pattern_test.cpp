#include "links/pattern.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace cpbench {
namespace {

using Kind = LinkPattern::Kind;

std::vector<std::int64_t> sizes_of(const std::vector<LinkPattern>& patterns, Kind kind, Link link) {
  std::vector<std::int64_t> sizes;
  for (const LinkPattern& pattern : patterns) {
    if (pattern.kind == kind && pattern.link == link) sizes.push_back(pattern.bytes);
  }
  return sizes;
}

/// By pair, directed: the sizes of its round trips.
std::map<Pair, std::vector<std::int64_t>> round_trips(const std::vector<LinkPattern>& patterns) {
  std::map<Pair, std::vector<std::int64_t>> sizes;
  for (const LinkPattern& pattern : patterns) {
    std::set<int> busy;
    for (const Pair& pair : pattern.pairs) {
      EXPECT_TRUE(busy.insert(pair.a).second && busy.insert(pair.b).second) << "a rank has two partners at once";
      sizes[pair].push_back(pattern.bytes);
    }
  }
  return sizes;
}

TEST(LinkPatterns, AreNoneForOneRank) { EXPECT_TRUE(link_patterns({.all_to_all = true}, 1).empty()); }

TEST(LinkPatterns, HopAlongTheEdgesThatThereAre) {
  const std::vector<std::int64_t> sizes = {8, 64, 1024, 16384};
  const auto patterns = link_patterns({.ranks_per_node = 2, .message_bytes = 16384}, 4);
  EXPECT_EQ(sizes_of(patterns, Kind::kHop, Link::kInner), sizes);
  EXPECT_EQ(sizes_of(patterns, Kind::kHop, Link::kOuter), sizes);
  EXPECT_TRUE(sizes_of(patterns, Kind::kAllToAll, Link::kAllToAll).empty());
  const auto of_one_node = link_patterns({.ranks_per_node = 4, .message_bytes = 16384}, 4);
  EXPECT_TRUE(sizes_of(of_one_node, Kind::kHop, Link::kOuter).empty());
}

TEST(LinkPatterns, AnAllToAllSendsWholeWordsToEach) {
  const auto patterns = link_patterns({.ranks_per_node = 4, .all_to_all = true, .message_bytes = 4096}, 4);
  EXPECT_EQ(sizes_of(patterns, Kind::kAllToAll, Link::kAllToAll), (std::vector<std::int64_t>{24, 240, 4080}));
  const auto tiny = link_patterns({.ranks_per_node = 8, .all_to_all = true, .message_bytes = 8}, 8);
  EXPECT_EQ(sizes_of(tiny, Kind::kAllToAll, Link::kAllToAll), (std::vector<std::int64_t>{56}));
}

TEST(LinkPatterns, TakeEveryLinkBothWaysWithTheSmallestAndTheLargestMessage) {
  for (const int ranks : {2, 3, 5, 8}) {
    const auto trips = round_trips(link_patterns({.ranks_per_node = 2, .message_bytes = 4096}, ranks));
    EXPECT_EQ(std::ssize(trips), ranks * (ranks - 1));
    for (const auto& [pair, sizes] : trips) EXPECT_EQ(sizes, (std::vector<std::int64_t>{8, 4096}));
  }
}

TEST(LinkPatterns, OfManyRanksTakeTheLinksOfNeighbours) {
  const int ranks = 2 * kMostRanksOfAllPairs;
  const auto patterns = link_patterns({.ranks_per_node = 8}, ranks);
  EXPECT_LT(patterns.size(), 64u) << "the cost does not grow with the ranks";
  const auto trips = round_trips(patterns);
  EXPECT_EQ(std::ssize(trips), 4 * ranks) << "each rank has two neighbours within its node and two beyond it";
  EXPECT_TRUE(trips.contains({0, 1}) && trips.contains({1, 0}) && trips.contains({0, 7}) && trips.contains({0, 8}));
  EXPECT_FALSE(trips.contains({0, 2}));
}

}  // namespace
}  // namespace cpbench
