#include "cli/config/sweep.hpp"

#include "expect_refused.hpp"
#include "specs.hpp"

namespace cpbench {
namespace {

Sweep matrix_of(const Flags& flags) {
  Sweep sweep;
  sweep.matrix = values_of(flags);
  return sweep;
}

// The values of two axes, point by point.
std::vector<std::string> shown(const std::vector<PointSpec>& points, Axis first, Axis second) {
  std::vector<std::string> texts;
  for (const PointSpec& point : points) texts.push_back(point.at(first).dump() + " " + point.at(second).dump());
  return texts;
}

TEST(Expand, NothingIsOnePoint) { EXPECT_EQ(expand({}, {}), std::vector<PointSpec>{PointSpec()}); }

TEST(Expand, TheFirstAxisOfTheTableVariesSlowest) {
  const auto points = expand(matrix_of({{"window_size", "1,2"}, {"cp_size", "4,8"}}), {});
  EXPECT_EQ(shown(points, Axis::kCpSize, Axis::kWindowSize), (std::vector<std::string>{"4 1", "4 2", "8 1", "8 2"}));
}

TEST(Expand, TheCommandLineOverridesMatrixDefaultsAndIncludes) {
  Sweep sweep = matrix_of({{"cp_size", "1,2,4"}});
  sweep.defaults = spec_of({{"heads", "8"}, {"dtype", "fp32"}});
  sweep.include = {spec_of({{"cp_size", "8"}, {"heads", "16"}})};
  const auto points = expand(sweep, values_of({{"cp_size", "2"}, {"heads", "4,6"}}));
  EXPECT_EQ(shown(points, Axis::kCpSize, Axis::kHeads), (std::vector<std::string>{"2 4", "2 6", "2 4", "2 6"}));
  for (const PointSpec& point : points) EXPECT_EQ(point.at(Axis::kDtype), "fp32");
}

TEST(Expand, IncludeAddsPointsOverTheDefaults) {
  Sweep sweep = matrix_of({{"cp_size", "2,4"}});
  sweep.defaults = spec_of({{"heads", "8"}});
  sweep.include = {spec_of({{"cp_size", "8"}}), spec_of({{"heads", "16"}})};
  EXPECT_EQ(shown(expand(sweep, {}), Axis::kCpSize, Axis::kHeads),
            (std::vector<std::string>{"2 8", "4 8", "8 8", "null 16"}));
}

TEST(Expand, OnlyIncludeMeansOnlyThosePoints) {
  Sweep sweep;
  sweep.include = {spec_of({{"algo", "ring"}}), spec_of({{"algo", "ulysses"}})};
  EXPECT_EQ(expand(sweep, {}).size(), 2u);
}

TEST(Expand, ExcludeDropsMatrixPointsThatMatchAllOfItsKeys) {
  Sweep sweep = matrix_of({{"cp_size", "2,4"}, {"window_size", "1,2"}});
  sweep.exclude = {spec_of({{"cp_size", "2"}, {"window_size", "2"}})};
  sweep.include = {spec_of({{"cp_size", "2"}, {"window_size", "2"}, {"batch", "2"}})};
  EXPECT_EQ(shown(expand(sweep, {}), Axis::kCpSize, Axis::kWindowSize),
            (std::vector<std::string>{"2 1", "4 1", "4 2", "2 2"}));
}

TEST(Expand, RefusesSweepsOfNothingAndOfTooMuch) {
  Sweep nothing = matrix_of({{"cp_size", "2,4"}});
  nothing.exclude = {spec_of({{"cp_size", "2"}}), spec_of({{"cp_size", "4"}})};
  expect_refused([&] { expand(nothing, {}); }, {"no points"});
  Sweep huge;
  for (int i = 1; i <= 1000; ++i) {
    huge.matrix[Axis::kSeqLen].push_back(i);
    huge.matrix[Axis::kBatch].push_back(i);
  }
  expect_refused([&] { expand(huge, {}); }, {"more than 100000 points"});
}

TEST(ResolveAll, PointsThatMeanTheSameCollapse) {
  const auto points = expand(matrix_of({{"algo", "ring,double-ring"}, {"window_size", "1,2,4"}}), {});
  EXPECT_EQ(points.size(), 6u);
  const auto resolved_points = resolve_all(points, {.world_size = 4});
  ASSERT_EQ(resolved_points.size(), 4u);  // the ring once, the double ring with three windows
  EXPECT_EQ(resolved_points[0].axes["algo"], "ring");
  EXPECT_EQ(resolved_points[3].of->grid.inner, 4);
}

TEST(ResolveAll, WhatHasNoEffectMakesNoPoints) {
  const auto points = [](Flags flags) {
    flags.insert(flags.end(), {{"shard", "contiguous,zigzag,striped"}, {"uneven_heads", "off,on"}});
    return resolve_all(expand(matrix_of(flags), {}), {.world_size = 4}).size();
  };
  EXPECT_EQ(points({{"algo", "ring"}}), 3u);                             // no place has heads of its own
  EXPECT_EQ(points({{"algo", "ulysses"}}), 2u);                          // no ring
  EXPECT_EQ(points({{"algo", "hybrid"}, {"ulysses_degree", "4"}}), 2u);  // a ring of one
  EXPECT_EQ(points({{"algo", "hybrid"}, {"ulysses_degree", "2"}}), 3u * 2);
  EXPECT_EQ(points({{"algo", "ring"}, {"cp_size", "1"}}), 1u);
}

TEST(ResolveAll, ImpossiblePointsOfASweepAreSkippedWithTheReason) {
  const auto points =
      resolve_all(expand(matrix_of({{"algo", "double-ring"}, {"window_size", "2,3"}}), {}), {.world_size = 4});
  ASSERT_EQ(points.size(), 2u);
  EXPECT_TRUE(points[0].of.has_value());
  EXPECT_FALSE(points[1].of.has_value());
  EXPECT_NE(points[1].skipped_because.find("window_size 3"), std::string::npos);
  EXPECT_EQ(points[1].axes["window_size"], 3);
  EXPECT_EQ(points[1].axes["cp_size"], 4);
  for (const AxisInfo& axis : all_axes()) {
    if (axis.axis != Axis::kUlyssesDegree && axis.axis != Axis::kWindowSize && axis.axis != Axis::kRankOrder) {
      EXPECT_EQ(points[1].axes[std::string(axis.name)], points[0].axes[std::string(axis.name)]) << axis.name;
    }
  }
  EXPECT_FALSE(points[1].axes.contains("ulysses_degree"));
}

TEST(ResolveAll, WhatASkippedPointIgnoresIsNotShownAndMakesNoPoints) {
  const auto skipped = [](const char* algorithm) {
    return resolve_all(expand(matrix_of({{"algo", algorithm},
                                         {"heads", "7"},
                                         {"tensor_parallel", "2"},
                                         {"ulysses_degree", "2,4"},
                                         {"window_size", "2"},
                                         {"rank_order", "ring-inner"},
                                         {"shard", "zigzag"}}),
                              {}),
                       {.world_size = 3});
  };
  const auto ulysses = skipped("ulysses");
  ASSERT_EQ(ulysses.size(), 1u);
  EXPECT_FALSE(ulysses[0].of.has_value());
  for (const char* name : {"ulysses_degree", "window_size", "rank_order"}) EXPECT_FALSE(ulysses[0].axes.contains(name));
  EXPECT_EQ(ulysses[0].axes["shard"], "contiguous");
  EXPECT_EQ(ulysses[0].axes["cp_size"], 3);
  const auto double_ring = skipped("double-ring");
  ASSERT_EQ(double_ring.size(), 1u);
  EXPECT_EQ(double_ring[0].axes["window_size"], 2);
  EXPECT_FALSE(double_ring[0].axes.contains("ulysses_degree"));
  EXPECT_EQ(skipped("hybrid").size(), 2u);
}

TEST(ResolveAll, ASkippedPointShowsItsModelAndAllItsHeads) {
  const auto points =
      resolve_all(expand(matrix_of({{"model", "llama3-8b"}, {"tensor_parallel", "2,3"}}), {}), {.world_size = 4});
  ASSERT_FALSE(points.at(1).of.has_value());
  EXPECT_EQ(points[1].axes["heads"], 32);
  EXPECT_EQ(points[1].axes["kv_heads"], 8);
  EXPECT_EQ(points[1].axes["tensor_parallel"], 3);
}

TEST(ResolveAll, ASingleImpossiblePointIsAnError) {
  const std::vector<PointSpec> one = {spec_of({{"algo", "double-ring"}, {"window_size", "3"}})};
  expect_refused([&] { resolve_all(one, {.world_size = 4}); }, {"window_size 3"});
}

TEST(LengthScale, ScalesLengthsThatTheSweepNames) {
  Sweep sweep = matrix_of({{"seq_len", "1000,3"}, {"mask", "causal,window:100:5"}});
  sweep.defaults = spec_of({{"docs", "333,333,334"}});
  sweep.exclude = {spec_of({{"seq_len", "1000"}})};
  scale_lengths(sweep, 0.1);
  EXPECT_EQ(sweep.matrix[Axis::kSeqLen], (std::vector<AxisValue>{100, 1}));
  EXPECT_EQ(sweep.matrix[Axis::kMask], (std::vector<AxisValue>{"causal", "window:10:1"}));
  EXPECT_EQ(sweep.defaults.at(Axis::kDocs), (Json{33, 33, 34})) << "the sum is the scaled sum";
  EXPECT_EQ(sweep.exclude[0].at(Axis::kSeqLen), 100);
}

TEST(LengthScale, RefusesWhatVanishesOrOverflows) {
  Sweep sweep;
  sweep.defaults = spec_of({{"docs", "15,3,100"}});
  expect_refused([&] { scale_lengths(sweep, 0.1); }, {"length_scale 0.1", "3 tokens"});
  Sweep large;
  large.defaults = spec_of({{"seq_len", "1000"}});
  expect_refused([&] { scale_lengths(large, 1e300); }, {"length_scale", "1000"});
}

}  // namespace
}  // namespace cpbench
