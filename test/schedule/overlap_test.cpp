// How many exchanges may be in flight beside an attend.
#include "schedule/overlap.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>

#include "schedule/schedule.hpp"
#include "schedule/small_cases.hpp"

namespace cpbench {
namespace {

Case case_of(std::string_view algorithm, const Grid& grid) { return even_case(algorithm, grid, 4); }

/// Of the rank that has most.
int most_streams(const Case& c, const std::function<bool(const Program&, const Exchange&)>& counts) {
  int most = 0;
  for (const Program& program : build_schedule(c).programs) {
    most = std::max(most, streams_beside_an_attend(program, [&](const Exchange& e) { return counts(program, e); }));
  }
  return most;
}
bool any(const Program&, const Exchange&) { return true; }

TEST(Overlap, OfEachAlgorithm) {
  // Gradients are made of what is attended, so that none travels beside the forward pass.
  EXPECT_EQ(most_streams(case_of("ring", {.inner = 4}), any), 1);
  EXPECT_EQ(most_streams(case_of("all-gather", {.inner = 4}), any), 1);
  EXPECT_EQ(most_streams(case_of("double-ring", {.outer = 2, .inner = 2}), any), 2);
  EXPECT_EQ(most_streams(case_of("ring", {.inner = 1}), any), 0);
}

TEST(Overlap, OfARankThatHandsOnGradientsToWhichItAddsNothing) {
  // They may come from a rank whose forward pass has long been over.
  Case c = case_of("ring", {.inner = 4});
  c.problem.mask = Mask::causal();
  EXPECT_EQ(most_streams(c, any), 2);
  c.pass = Pass::kForward;
  EXPECT_EQ(most_streams(c, any), 1);
}

TEST(Overlap, CountsWhatItIsAskedToCount) {
  const Case c = case_of("double-ring", {.outer = 2, .inner = 2});
  const auto crosses_windows = [](const Program& program, const Exchange& exchange) {
    return program.farthest_link(exchange) == Link::kOuter;
  };
  EXPECT_EQ(most_streams(c, crosses_windows), 1);
  EXPECT_EQ(most_streams(c, [](const Program&, const Exchange&) { return false; }), 0);
}

TEST(Overlap, IsNoneWhereEachOperationWaitsForTheOneBefore) {
  Case c = case_of("double-ring", {.outer = 2, .inner = 2});
  c.overlap = false;
  EXPECT_EQ(most_streams(c, any), 0);
}

}  // namespace
}  // namespace cpbench
