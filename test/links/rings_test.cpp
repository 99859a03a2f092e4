#include "links/rings.hpp"

#include <gtest/gtest.h>

namespace cpbench {
namespace {

using Rings = std::vector<RankRing>;

TEST(Rings, GoRoundWithinNodesAndBetweenThem) {
  EXPECT_EQ(rings_of(Link::kInner, 6, 3), (Rings{{0, 1, 2}, {3, 4, 5}}));
  EXPECT_EQ(rings_of(Link::kOuter, 6, 3), (Rings{{0, 3}, {1, 4}, {2, 5}}));
  EXPECT_EQ(rings_of(Link::kAllToAll, 3, 2), (Rings{{0, 1, 2}}));
}

TEST(Rings, OfOneRankAreNone) {
  EXPECT_EQ(rings_of(Link::kInner, 3, 1), Rings{});
  EXPECT_EQ(rings_of(Link::kOuter, 3, 1), (Rings{{0, 1, 2}}));
  EXPECT_EQ(rings_of(Link::kOuter, 4, 8), Rings{});
  EXPECT_EQ(rings_of(Link::kInner, 4, 8), (Rings{{0, 1, 2, 3}}));
  EXPECT_EQ(rings_of(Link::kInner, 1, 1), Rings{});
}

TEST(Rings, TakeTheLastNodeAsItIs) {
  EXPECT_EQ(rings_of(Link::kInner, 5, 2), (Rings{{0, 1}, {2, 3}}));
  EXPECT_EQ(rings_of(Link::kOuter, 5, 2), (Rings{{0, 2, 4}, {1, 3}}));
}

TEST(Rings, NeighboursAreThoseOfTheRing) {
  const Rings rings = {{0, 2, 4}, {1, 3}};
  const auto of_4 = neighbours_in(rings, 4), of_1 = neighbours_in(rings, 1);
  ASSERT_TRUE(of_4 && of_1);
  EXPECT_EQ(of_4->next, 0);
  EXPECT_EQ(of_4->previous, 2);
  EXPECT_EQ(of_1->next, 3);
  EXPECT_EQ(of_1->previous, 3);
  EXPECT_FALSE(neighbours_in(rings, 5));
}

}  // namespace
}  // namespace cpbench
