#include "links/rounds.hpp"

#include <gtest/gtest.h>

#include <set>

namespace cpbench {
namespace {

void expect_disjoint(const std::vector<std::vector<Pair>>& rounds) {
  for (const std::vector<Pair>& round : rounds) {
    std::set<int> seen;
    for (const auto& [a, b] : round) {
      EXPECT_TRUE(seen.insert(a).second) << a;
      EXPECT_TRUE(seen.insert(b).second) << b;
    }
  }
}

std::multiset<Pair> flat(const std::vector<std::vector<Pair>>& rounds) {
  std::multiset<Pair> all;
  for (const std::vector<Pair>& round : rounds) all.insert(round.begin(), round.end());
  return all;
}

TEST(Rounds, HaveEveryPairOnceInAsFewAsCanBe) {
  for (int ranks = 1; ranks <= 33; ++ranks) {
    SCOPED_TRACE(ranks);
    std::multiset<Pair> expected;
    for (int b = 0; b < ranks; ++b) {
      for (int a = 0; a < b; ++a) expected.insert({a, b});
    }
    const auto rounds = disjoint_rounds(all_pairs(ranks), ranks);
    expect_disjoint(rounds);
    EXPECT_EQ(flat(rounds), expected);
    EXPECT_EQ(std::ssize(rounds), ranks < 2 ? 0 : ranks % 2 == 0 ? ranks - 1 : ranks);
  }
}

TEST(Rounds, OfNeighboursAreFewHoweverManyRanksThereAre) {
  for (const int ranks : {2, 3, 4, 5, 64, 1001}) {
    SCOPED_TRACE(ranks);
    RankRing ring;
    for (int rank = 0; rank < ranks; ++rank) ring.push_back(rank);
    const std::vector<Pair> pairs = pairs_in({ring});
    EXPECT_EQ(std::ssize(pairs), ranks == 2 ? 1 : ranks);
    const auto rounds = disjoint_rounds(pairs, ranks);
    expect_disjoint(rounds);
    EXPECT_EQ(flat(rounds), std::multiset<Pair>(pairs.begin(), pairs.end()));
    EXPECT_LE(rounds.size(), 3u);
  }
}

TEST(Rounds, OfTwoRingsHaveTheirEdgesOnce) {
  EXPECT_EQ(pairs_in({{0, 1, 2}, {3, 4}}), (std::vector<Pair>{{0, 1}, {0, 2}, {1, 2}, {3, 4}}));
}

}  // namespace
}  // namespace cpbench
