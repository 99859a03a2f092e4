#include "topology/grid.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "expect_refused.hpp"

namespace cpbench {
namespace {

TEST(Grid, EveryRankHasOnePlaceAndRingPosition) {
  for (const RankOrder order : {RankOrder::kUlyssesInner, RankOrder::kRingInner}) {
    for (int ulysses = 1; ulysses <= 4; ++ulysses) {
      for (int outer = 1; outer <= 3; ++outer) {
        for (int inner = 1; inner <= 3; ++inner) {
          const Grid grid{ulysses, outer, inner, order};
          EXPECT_EQ(grid.size(), ulysses * grid.ring());
          std::vector<int> uses(static_cast<std::size_t>(grid.size()));
          for (int place = 0; place < ulysses; ++place) {
            for (int position = 0; position < grid.ring(); ++position) {
              const int rank = grid.rank_of(place, position);
              ++uses.at(static_cast<std::size_t>(rank));
              EXPECT_EQ(grid.place_of(rank), place);
              EXPECT_EQ(grid.ring_position_of(rank), position);
            }
          }
          EXPECT_EQ(uses, std::vector<int>(uses.size(), 1));
        }
      }
    }
  }
}

TEST(Grid, OrderSaysWhichNeighboursAreConsecutive) {
  const Grid ulysses_inner{2, 1, 4, RankOrder::kUlyssesInner};
  EXPECT_EQ(ulysses_inner.rank_of(1, 0), 1);
  EXPECT_EQ(ulysses_inner.rank_of(0, 1), 2);
  const Grid ring_inner{2, 1, 4, RankOrder::kRingInner};
  EXPECT_EQ(ring_inner.rank_of(1, 0), 4);
  EXPECT_EQ(ring_inner.rank_of(0, 1), 1);
}

TEST(Grid, LinksAreByPlaceAndWindow) {
  // Ranks by place: 0 to 5 and 6 to 11; by window: two of three.
  const Grid grid{2, 2, 3, RankOrder::kRingInner};
  EXPECT_EQ(link_between(grid, 0, 0), Link::kInner);
  EXPECT_EQ(link_between(grid, 0, 2), Link::kInner);
  EXPECT_EQ(link_between(grid, 2, 3), Link::kOuter);
  EXPECT_EQ(link_between(grid, 3, 2), Link::kOuter);
  EXPECT_EQ(link_between(grid, 0, 6), Link::kAllToAll);
  EXPECT_EQ(link_between(grid, 0, 9), Link::kAllToAll);
}

TEST(RankOrder, NamesAreInverses) {
  for (const RankOrder order : {RankOrder::kUlyssesInner, RankOrder::kRingInner}) {
    EXPECT_EQ(parse_rank_order(name_of(order)), order);
  }
  expect_refused([] { parse_rank_order("ring_inner"); },
                 {"unknown rank order \"ring_inner\"", "did you mean \"ring-inner\"?"});
}

}  // namespace
}  // namespace cpbench
