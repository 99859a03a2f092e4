#include "compare/comparison.hpp"

#include <gtest/gtest.h>

#include "compare/launches.hpp"
#include "expect_refused.hpp"

namespace cpbench {
namespace {

/// One launch of the ring with these times.
Launch ring_launch(const std::string& path, std::vector<double> times) {
  return launch(path, {measured_point(ring(), std::move(times))});
}

/// The one point of a comparison of a launch with these times with another.
PointComparison compare_times(std::vector<double> base, std::vector<double> head, const CompareOptions& options = {}) {
  const Launch base_launch = ring_launch("base", std::move(base)), head_launch = ring_launch("head", std::move(head));
  const Comparison comparison = compare({&base_launch, 1}, {&head_launch, 1}, options);
  EXPECT_EQ(comparison.points.size(), 1u);
  return comparison.points.at(0);
}

TEST(Comparison, JudgesByTheWholeInterval) {
  const std::vector<double> base = {1, 1.01, 0.99, 1, 1};
  const auto times = [&](double factor) {
    std::vector<double> scaled = base;
    for (double& time : scaled) time *= factor;
    return scaled;
  };
  EXPECT_EQ(compare_times(base, times(1)).outcome, Outcome::kSame);
  EXPECT_EQ(compare_times(base, times(1.02)).outcome, Outcome::kSame);
  EXPECT_EQ(compare_times(base, times(1.05)).outcome, Outcome::kUnclear);  // from +4% to +6%
  EXPECT_EQ(compare_times(base, times(1.2)).outcome, Outcome::kSlower);
  EXPECT_EQ(compare_times(base, times(0.5)).outcome, Outcome::kFaster);
  EXPECT_EQ(compare_times(base, times(1.2), {.threshold = 0.25}).outcome, Outcome::kSame);
  EXPECT_EQ(compare_times(base, times(1.02), {.threshold = 0.001}).outcome, Outcome::kSlower);
}

TEST(Comparison, OfFewNoisyTimesIsUnclear) {
  EXPECT_EQ(compare_times({1, 1}, {2, 2}).outcome, Outcome::kUnclear);
  EXPECT_EQ(compare_times({1, 2, 3}, {1, 2, 3}).outcome, Outcome::kUnclear);
  EXPECT_EQ(compare_times({1, 1.01, 1.02}, {2, 2.01, 9}).outcome, Outcome::kSlower);
}

TEST(Comparison, TakesMediansOfLaunchesWhereThereAreThree) {
  // Within each launch times agree; from launch to launch they do not.
  const std::vector<Launch> base = {ring_launch("a", {1, 1, 1, 1}), ring_launch("b", {1.2, 1.2, 1.2, 1.2}),
                                    ring_launch("c", {1.1, 1.1, 1.1, 1.1})};
  const std::vector<Launch> head = {ring_launch("d", {1.2, 1.2, 1.2, 1.2}), ring_launch("e", {1.1, 1.1, 1.1, 1.1}),
                                    ring_launch("f", {1.3, 1.3, 1.3, 1.3})};
  const PointComparison of_launches = compare(base, head, {}).points.at(0);
  EXPECT_EQ(of_launches.outcome, Outcome::kUnclear);
  EXPECT_EQ(of_launches.base->launches, 3);
  EXPECT_EQ(of_launches.base->times, 3u);
  EXPECT_DOUBLE_EQ(of_launches.head->median_s, 1.2);
  EXPECT_NEAR(of_launches.full->value, 1.2 / 1.1 - 1, 1e-12);

  const PointComparison of_two = compare(std::span(base).first(2), std::span(head).first(2), {}).points.at(0);
  EXPECT_EQ(of_two.base->launches, 2);
  EXPECT_EQ(of_two.base->times, 8u);  // all iterations
}

TEST(Comparison, SaysWhereTheChangeComesFrom) {
  Launch base = ring_launch("base", {1, 1, 1}), head = ring_launch("head", {1.5, 1.5, 1.5});
  head.points[0].times.compute_only = {1, 1, 1};
  PointComparison point = compare({&base, 1}, {&head, 1}, {}).points.at(0);
  EXPECT_DOUBLE_EQ(point.compute_only->value, 1);
  EXPECT_DOUBLE_EQ(point.comm_only->value, 0);

  head.points[0].sends = base.points[0].sends = false;
  head.points[0].times.compute_only = {0, 0, 0};
  point = compare({&base, 1}, {&head, 1}, {}).points.at(0);
  EXPECT_FALSE(point.comm_only) << "without messages there is nothing to compare";
  EXPECT_FALSE(point.compute_only) << "nor of what took no time";
}

TEST(Comparison, MatchesCasesWhateverTheOrderOfTheirAxes) {
  const Launch base = ring_launch("base", {1, 1, 1});
  const Launch head = launch("head", {measured_point(ulysses(), {9, 9, 9}),
                                      measured_point({{"isa", "avx2"}, {"cp_size", 2}, {"algo", "ring"}}, {1, 1, 1})});
  const Comparison comparison = compare({&base, 1}, {&head, 1}, {});
  ASSERT_EQ(comparison.points.size(), 2u);
  EXPECT_EQ(comparison.points[0].outcome, Outcome::kSame);
  EXPECT_EQ(comparison.points[1].outcome, Outcome::kNew);
  EXPECT_EQ(comparison.points[1].axes, ulysses());
  EXPECT_EQ(comparison.exit_code(true), ExitCode::kOk) << "a new point has nothing that it could be slower than";
}

TEST(Comparison, MissesWhatAnyLaunchOfHeadLacks) {
  const std::vector<Launch> base = {
      launch("base", {measured_point(ring(), {1, 1, 1}), measured_point(ulysses(), {1, 1, 1})})};
  const std::vector<Launch> lacking = {
      launch("good", {measured_point(ring(), {1, 1, 1}), measured_point(ulysses(), {1, 1, 1})}),
      launch("bad", {measured_point(ring(), {1, 1, 1}), unmeasured_point(ulysses(), "invalid", "dq is wrong")})};
  Comparison comparison = compare(base, lacking, {});
  EXPECT_EQ(comparison.points[0].outcome, Outcome::kSame);
  EXPECT_EQ(comparison.points[1].outcome, Outcome::kMissing);
  EXPECT_EQ(comparison.points[1].reason, "invalid in bad: dq is wrong");
  EXPECT_EQ(comparison.exit_code(false), ExitCode::kBaselineMissing);

  const std::vector<Launch> shorter = {lacking[0], ring_launch("short", {1, 1, 1})};
  comparison = compare(base, shorter, {});
  EXPECT_EQ(comparison.points[1].reason, "not in short");

  const std::vector<Launch> without = {ring_launch("without", {1, 1, 1})};
  comparison = compare(base, without, {});
  EXPECT_EQ(comparison.points[1].outcome, Outcome::kMissing);
  EXPECT_EQ(comparison.points[1].reason, "not in HEAD");
}

TEST(Comparison, MindsOnlyWhatBaseHasMeasured) {
  const std::vector<Launch> base = {
      launch("one", {measured_point(ring(), {1, 1, 1}), unmeasured_point(ulysses(), "skipped", "heads")}),
      launch("two", {measured_point(ring(), {1, 1, 1})})};
  const Launch skipped =
      launch("head", {measured_point(ring(), {1, 1, 1}), unmeasured_point(ulysses(), "skipped", "heads")});
  const Comparison same = compare(base, {&skipped, 1}, {});
  EXPECT_EQ(same.points.size(), 1u);
  EXPECT_EQ(same.exit_code(true), ExitCode::kOk);

  const Launch more = launch("head", {measured_point(ring(), {1, 1, 1}), measured_point(ulysses(), {1, 1, 1})});
  const Comparison news = compare(base, {&more, 1}, {});
  EXPECT_EQ(news.points.at(1).outcome, Outcome::kNew);
  EXPECT_EQ(news.points.at(1).reason, "skipped in one: heads");
}

TEST(Comparison, LeavesWithTheGravestCode) {
  const auto with = [](std::vector<Outcome> outcomes) {
    Comparison comparison;
    for (const Outcome outcome : outcomes) comparison.points.push_back({.axes = {}, .outcome = outcome});
    return comparison;
  };
  EXPECT_EQ(with({Outcome::kSame, Outcome::kFaster, Outcome::kNew}).exit_code(true), ExitCode::kOk);
  EXPECT_EQ(with({Outcome::kUnclear}).exit_code(false), ExitCode::kOk);
  EXPECT_EQ(with({Outcome::kUnclear}).exit_code(true), ExitCode::kInconclusive);
  EXPECT_EQ(with({Outcome::kUnclear, Outcome::kSlower}).exit_code(true), ExitCode::kRegression);
  EXPECT_EQ(with({Outcome::kSlower, Outcome::kMissing}).exit_code(false), ExitCode::kBaselineMissing);
}

TEST(Comparison, IgnoresAxesThatItIsTold) {
  const Launch base = ring_launch("base", {1, 1, 1});
  Launch head = ring_launch("head", {1, 1, 1});
  head.points[0].axes["isa"] = "avx512";
  expect_refused(
      [&] {
        compare({&base, 1}, {&head, 1}, {});
      },
      {"no measured point in common", "isa (\"avx2\", \"avx512\")", "--ignore isa"}, ExitCode::kBaselineMissing);
  const Comparison comparison = compare({&base, 1}, {&head, 1}, {.ignored = {"isa"}});
  EXPECT_EQ(comparison.points.at(0).outcome, Outcome::kSame);
  EXPECT_FALSE(comparison.points.at(0).axes.contains("isa")) << "it would be that of one side";
  expect_refused([&] { compare({&base, 1}, {&head, 1}, {.ignored = {"is"}}); }, {"unknown axis \"is\"", "isa"});

  const Launch both = launch("both", {base.points[0], head.points[0]});
  expect_refused([&] { compare({&both, 1}, {&both, 1}, {.ignored = {"isa"}}); }, {"both: points", "ignored axes"});
}

TEST(Comparison, OfPairsIsBlindToWhatSlowsBoth) {
  std::vector<Launch> base, head;
  for (const double slowed : {1.0, 3.0, 1.5, 2.0, 1.2}) {
    base.push_back(ring_launch("base" + std::to_string(slowed), {slowed, slowed, slowed}));
    head.push_back(ring_launch("head" + std::to_string(slowed), {1.1 * slowed, 1.1 * slowed, 1.1 * slowed}));
  }
  EXPECT_EQ(compare(base, head, {}).points.at(0).outcome, Outcome::kUnclear);
  const PointComparison paired = compare(base, head, {.paired = true}).points.at(0);
  EXPECT_EQ(paired.outcome, Outcome::kSlower);
  EXPECT_NEAR(paired.full->value, 0.1, 1e-12);
  EXPECT_NEAR(paired.full->interval->low, 0.1, 1e-8);
  EXPECT_DOUBLE_EQ(paired.base->median_s, 1.5);

  base[1].points = {unmeasured_point(ring(), "timeout", "")};  // its pair falls away
  EXPECT_NEAR(compare(base, head, {.paired = true}).points.at(0).full->value, 0.1, 1e-12);
  head[0].points[0].times.full = {9, 9, 9};  // one pair of four
  EXPECT_NEAR(compare(base, head, {.paired = true}).points.at(0).full->value, 0.1, 1e-12);

  expect_refused([&] { compare(base, std::span(head).first(4), {.paired = true}); }, {"5 and 4"});
  const auto two = [](const std::vector<Launch>& launches) { return std::span(launches).first(2); };
  base[1] = base[0];
  EXPECT_EQ(compare(two(base), two(head), {.paired = true}).points.at(0).outcome, Outcome::kUnclear);
}

TEST(Comparison, RefusesToComparePointsWithNone) {
  const Launch base = ring_launch("base", {1, 1, 1}), empty = launch("empty", {});
  expect_refused(
      [&] {
        compare({&base, 1}, {&empty, 1}, {});
      },
      {"no measured point in common"}, ExitCode::kBaselineMissing);
  expect_refused(
      [&] {
        compare({&empty, 1}, {&base, 1}, {});
      },
      {"no measured point in common"}, ExitCode::kBaselineMissing);
}

}  // namespace
}  // namespace cpbench
