#include "compare/comparison.hpp"

#include <gtest/gtest.h>

#include "compare/launches.hpp"
#include "expect_refused.hpp"

namespace cpbench {
namespace {

constexpr CompareOptions kPaired = {.paired = true};

/// The one point of a comparison of launches with these times.
PointComparison compare_times(const std::vector<double>& base, const std::vector<double>& head,
                              const CompareOptions& options = {}) {
  const Comparison comparison = compare(ring_launches("base", base), ring_launches("head", head), options);
  EXPECT_EQ(comparison.points.size(), 1u);
  return comparison.points.at(0);
}

/// Five launches of each point.
std::vector<Launch> five(const std::vector<PointRecord>& points) {
  std::vector<Launch> launches;
  for (int i = 0; i < 5; ++i) launches.push_back(launch(std::to_string(i), points, i));
  return launches;
}

TEST(Comparison, JudgesByTheWholeInterval) {
  const std::vector<double> base = {1, 1.01, 0.99, 1.005, 0.995};
  const auto times = [&](double factor) {
    std::vector<double> scaled = base;
    for (double& time : scaled) time *= factor;
    return scaled;
  };
  EXPECT_EQ(compare_times(base, times(1)).outcome, Outcome::kSame);
  EXPECT_EQ(compare_times(base, times(1.02)).outcome, Outcome::kSame);
  EXPECT_EQ(compare_times(base, times(1.05)).outcome, Outcome::kUnclear);
  EXPECT_EQ(compare_times(base, times(1.2)).outcome, Outcome::kSlower);
  EXPECT_EQ(compare_times(base, times(0.5)).outcome, Outcome::kFaster);
  EXPECT_EQ(compare_times(base, times(0.97)).outcome, Outcome::kSame) << "faster, but by less than the threshold";
  EXPECT_EQ(compare_times(base, times(1.2), {.threshold = 0.25}).outcome, Outcome::kSame);
  EXPECT_EQ(compare_times(base, times(1.02), {.threshold = 0.001}).outcome, Outcome::kSlower);
}

TEST(Comparison, OfFewLaunchesIsNotJudged) {
  EXPECT_EQ(compare_times({1, 1, 1}, {2, 2, 2}).outcome, Outcome::kUnjudged);
  EXPECT_EQ(compare_times({1, 1, 1}, {2, 2, 2}, {.confidence = 0.9}).outcome, Outcome::kSlower);
  EXPECT_EQ(compare_times({1, 1, 1, 1}, {2, 2, 2, 2}).outcome, Outcome::kSlower);
  EXPECT_EQ(compare_times({1, 1, 1, 1}, {2, 2, 2, 2}, kPaired).outcome, Outcome::kUnjudged);
  EXPECT_NEAR(compare_times({1}, {2}).full->value, 1, 1e-12) << "that much can be said of one";
}

TEST(Comparison, ConfidenceIsThatOfTheInterval) {
  const std::vector<double> base = {1, 1.02, 0.98, 1.01, 0.99, 1.03}, head = {1.08, 1.05, 1.09, 1.07, 1.1, 1.06};
  for (const bool paired : {false, true}) {
    const auto width = [&](double confidence) {
      const Interval interval = *compare_times(base, head, {.confidence = confidence, .paired = paired}).full->interval;
      return interval.high - interval.low;
    };
    EXPECT_LT(width(0.6), width(0.95)) << paired;
  }
}

TEST(Comparison, TakesOneTimeOfALaunch) {
  std::vector<Launch> base = ring_launches("base", {1, 1, 1, 1}), head = base;
  for (Launch& launch : head)
    launch.points[0].timing->full = summarize({9, 1, 1, 1, 9});  // iterations scatter, medians do not
  const PointComparison point = compare(base, head, {}).points.at(0);
  EXPECT_EQ(point.outcome, Outcome::kSame);
  EXPECT_EQ(point.head->median_s, 1);
  EXPECT_EQ(point.head->launches, 4);
}

TEST(Comparison, SaysWhereTheChangeComesFrom) {
  const std::vector<Launch> base = five({measured_point(ring(), 1, 0.5, 0.25)});
  std::vector<Launch> head = five({measured_point(ring(), 1.5, 1, 0.5)});
  for (const bool paired : {false, true}) {
    const PointComparison point = compare(base, head, {.paired = paired}).points.at(0);
    EXPECT_NEAR(point.full->value, 0.5, 1e-12);
    EXPECT_NEAR(point.compute_only->value, 1, 1e-12);
    EXPECT_NEAR(point.comm_only->value, 1, 1e-12);
  }
  for (Launch& launch : head) {
    launch.points[0].comm->bytes_sent_per_rank = 0;
    launch.points[0].timing->compute_only = summarize({0, 0, 0});
  }
  for (const bool paired : {false, true}) {
    const PointComparison point = compare(base, head, {.paired = paired}).points.at(0);
    EXPECT_FALSE(point.comm_only) << "without messages there is nothing to compare";
    EXPECT_FALSE(point.compute_only) << "nor of what took no time";
  }
}

TEST(Comparison, MatchesCasesWhateverTheOrderOfTheirAxes) {
  const std::vector<Launch> base = five({measured_point(ring(), 1)});
  const std::vector<Launch> head =
      five({measured_point(ulysses(), 9), measured_point({{"isa", "avx2"}, {"cp_size", 2}, {"algo", "ring"}}, 1)});
  const Comparison comparison = compare(base, head, {});
  ASSERT_EQ(comparison.points.size(), 2u);
  EXPECT_EQ(comparison.points[0].outcome, Outcome::kSame);
  EXPECT_EQ(comparison.points[1].outcome, Outcome::kNew);
  EXPECT_EQ(comparison.points[1].axes, ulysses());
  EXPECT_EQ(comparison.exit_code(true), ExitCode::kOk) << "a new point has nothing that it could be slower than";
}

TEST(Comparison, MissesWhatAnyLaunchOfHeadLacks) {
  const std::vector<Launch> base = five({measured_point(ring(), 1), measured_point(ulysses(), 1)});
  std::vector<Launch> head = base;
  head[3] = launch("bad", {measured_point(ring(), 1), unmeasured_point(ulysses(), Status::kFailed, "no memory")}, 3);
  Comparison comparison = compare(base, head, {});
  EXPECT_EQ(comparison.points[0].outcome, Outcome::kSame);
  EXPECT_EQ(comparison.points[1].outcome, Outcome::kMissing);
  EXPECT_EQ(comparison.points[1].reason, "failed in bad: no memory");
  EXPECT_EQ(comparison.points[1].head->launches, 4);
  EXPECT_EQ(comparison.exit_code(false), ExitCode::kBaselineMissing);

  head[3] = launch("short", {measured_point(ring(), 1)}, 3);
  EXPECT_EQ(compare(base, head, {}).points[1].reason, "not in short");
  comparison = compare(base, five({measured_point(ring(), 1)}), {});
  EXPECT_EQ(comparison.points[1].outcome, Outcome::kMissing);
  EXPECT_EQ(comparison.points[1].reason, "not in HEAD");
}

TEST(Comparison, MindsWrongResultsOfHeadWhateverBaseHas) {
  const PointRecord wrong = unmeasured_point(ulysses(), Status::kInvalid, "dq is wrong");
  std::vector<Launch> head = five({measured_point(ring(), 1), measured_point(ulysses(), 1)});
  head[2] = launch("wrong", {measured_point(ring(), 1), wrong}, 2);
  for (const std::vector<PointRecord>& more : {std::vector{measured_point(ulysses(), 1)}, {}, {wrong}}) {
    std::vector<PointRecord> points = {measured_point(ring(), 1)};
    points.insert(points.end(), more.begin(), more.end());
    const Comparison comparison = compare(five(points), head, {});
    EXPECT_EQ(comparison.points.at(1).outcome, Outcome::kInvalid);
    EXPECT_EQ(comparison.points.at(1).reason, "invalid in wrong: dq is wrong");
    EXPECT_EQ(comparison.exit_code(false), ExitCode::kInvalid);
  }
}

TEST(Comparison, MindsOnlyWhatBaseHasMeasured) {
  std::vector<Launch> base = five({measured_point(ring(), 1), unmeasured_point(ulysses(), Status::kSkipped, "heads")});
  base.pop_back();
  base.push_back(launch("last", {measured_point(ring(), 1)}, 4));
  const Comparison same =
      compare(base, five({measured_point(ring(), 1), unmeasured_point(ulysses(), Status::kSkipped, "heads")}), {});
  EXPECT_EQ(same.points.size(), 1u);
  EXPECT_EQ(same.unmeasured, 1);
  EXPECT_EQ(same.exit_code(true), ExitCode::kOk);

  const Comparison news = compare(base, five({measured_point(ring(), 1), measured_point(ulysses(), 1)}), {});
  EXPECT_EQ(news.points.at(1).outcome, Outcome::kNew);
  EXPECT_EQ(news.points.at(1).reason, "skipped in 0: heads");
  EXPECT_EQ(news.unmeasured, 0);
}

TEST(Comparison, MindsWhatLaunchesThatDidNotFinishHadNotReached) {
  const std::vector<Launch> whole = five({measured_point(ring(), 1), measured_point(ulysses(), 1)});
  std::vector<Launch> cut = five({measured_point(ring(), 1)});
  Comparison comparison = compare(cut, whole, {});
  EXPECT_EQ(comparison.exit_code(true), ExitCode::kOk) << "BASE had no more";
  for (Launch& launch : cut) launch.finished = false;
  comparison = compare(cut, whole, {});
  EXPECT_EQ(comparison.points[1].outcome, Outcome::kNew);
  EXPECT_TRUE(comparison.points[1].unreached);
  EXPECT_EQ(comparison.exit_code(false), ExitCode::kOk);
  EXPECT_EQ(comparison.exit_code(true), ExitCode::kInconclusive);

  for (const Status status : {Status::kTimeout, Status::kInterrupted}) {
    cut[0].points.push_back(unmeasured_point(ulysses(), status, "was in flight"));
    EXPECT_EQ(compare(cut, whole, {}).exit_code(true), ExitCode::kInconclusive);
    comparison = compare(whole, cut, {});
    EXPECT_TRUE(comparison.points[1].unreached);
    EXPECT_EQ(comparison.points[1].reason, fmt::format("{} in 0: was in flight", name_of(status)));
    EXPECT_EQ(comparison.exit_code(true), ExitCode::kBaselineMissing);
    cut[0].points.pop_back();
  }
  cut[0].points.push_back(measured_point(ulysses(), 1));
  EXPECT_EQ(compare(whole, cut, {}).points[1].reason, "not in 1, which did not finish");

  for (Launch& launch : cut)
    launch.points = {measured_point(ring(), 1), unmeasured_point(ulysses(), Status::kSkipped, "")};
  EXPECT_EQ(compare(cut, whole, {}).exit_code(true), ExitCode::kOk) << "they had come to it";
}

TEST(Comparison, MindsWhatNeitherSideHadReached) {
  std::vector<Launch> base = five({measured_point(ring(), 1)}), head = base;
  const std::vector<Launch> finished = base;
  for (std::vector<Launch>* side : {&base, &head}) {
    for (Launch& launch : *side) launch.finished = false;
  }
  EXPECT_EQ(compare(base, head, {}).exit_code(false), ExitCode::kOk);
  EXPECT_EQ(compare(base, head, {}).exit_code(true), ExitCode::kInconclusive) << "none says how many there are";
  EXPECT_EQ(compare(base, finished, {}).exit_code(true), ExitCode::kOk);
  EXPECT_EQ(compare(finished, head, {}).exit_code(true), ExitCode::kOk);

  for (const Status status : {Status::kTimeout, Status::kInterrupted}) {
    base[0].points = {measured_point(ring(), 1), unmeasured_point(ulysses(), status, "was in flight")};
    head = finished;
    head[0].points.push_back(unmeasured_point(ulysses(), Status::kFailed, "out of memory"));
    const Comparison comparison = compare(base, head, {});
    EXPECT_EQ(comparison.unmeasured, 1);
    EXPECT_EQ(comparison.exit_code(false), ExitCode::kOk);
    EXPECT_EQ(comparison.exit_code(true), ExitCode::kInconclusive) << "BASE might have measured it";
    EXPECT_EQ(compare(head, base, {}).exit_code(true), ExitCode::kOk) << "BASE had come to it";
  }
}

TEST(Comparison, LeavesWithTheGravestCode) {
  const auto code = [](const std::vector<Outcome>& outcomes, bool strict) {
    Comparison comparison;
    for (const Outcome outcome : outcomes) comparison.points.push_back({.axes = {}, .outcome = outcome});
    return comparison.exit_code(strict);
  };
  EXPECT_EQ(code({Outcome::kSame, Outcome::kFaster, Outcome::kNew}, true), ExitCode::kOk);
  EXPECT_EQ(code({Outcome::kUnclear}, false), ExitCode::kOk);
  EXPECT_EQ(code({Outcome::kUnclear}, true), ExitCode::kInconclusive);
  EXPECT_EQ(code({Outcome::kUnjudged, Outcome::kNew}, false), ExitCode::kInconclusive) << "nothing was judged";
  EXPECT_EQ(code({Outcome::kUnjudged, Outcome::kSame}, false), ExitCode::kOk);
  EXPECT_EQ(code({Outcome::kUnjudged, Outcome::kSame}, true), ExitCode::kInconclusive);
  EXPECT_EQ(code({Outcome::kUnclear, Outcome::kSlower}, true), ExitCode::kRegression);
  EXPECT_EQ(code({Outcome::kSlower, Outcome::kMissing}, false), ExitCode::kBaselineMissing);
  EXPECT_EQ(code({Outcome::kMissing, Outcome::kInvalid}, false), ExitCode::kInvalid);
}

TEST(Comparison, IgnoresAxesThatItIsTold) {
  const std::vector<Launch> base = five({measured_point(ring(), 1)});
  nlohmann::ordered_json other = ring(), farther = ulysses();
  other["isa"] = farther["isa"] = "avx512";
  const std::vector<Launch> head = five({measured_point(farther, 1), measured_point(other, 1)});
  expect_refused([&] { compare(base, head, {}); },
                 {"no measured point in common", "isa (\"avx2\", \"avx512\")", "--ignore isa"},
                 ExitCode::kBaselineMissing);
  const Comparison comparison = compare(base, head, {.ignored = {"isa"}});
  EXPECT_EQ(comparison.points.at(0).outcome, Outcome::kSame);
  EXPECT_FALSE(comparison.points.at(0).axes.contains("isa")) << "it would be that of one side";
  expect_refused([&] { compare(base, head, {.ignored = {"is"}}); }, {"unknown axis \"is\"", "isa"});

  const std::vector<Launch> both = five({measured_point(ring(), 1), measured_point(other, 1)});
  expect_refused([&] { compare(both, both, {.ignored = {"isa"}}); }, {"0: points", "ignored axes"});
}

TEST(Comparison, IgnoresAxesThatOneSideDoesNotKnow) {
  const std::vector<Launch> base =
      five({measured_point(ring(), 1), unmeasured_point({{"new", 1}}, Status::kSkipped, "")});
  nlohmann::ordered_json later = ring();
  later["new"] = 1;
  for (const auto& [a, b] :
       {std::pair{base, five({measured_point(later, 1)})}, {five({measured_point(later, 1)}), base}}) {
    const Comparison comparison = compare(a, b, {});
    EXPECT_EQ(comparison.points.at(0).outcome, Outcome::kSame);
    EXPECT_EQ(comparison.unknown_axes, std::vector<std::string>{"new"});
  }
}

TEST(Comparison, OfPairsIsBlindToWhatSlowsBoth) {
  const std::vector<double> slowed = {1, 3, 1.5, 2, 1.2, 2.5, 1.1};
  std::vector<double> slower = slowed;
  for (double& time : slower) time *= 1.1;
  EXPECT_EQ(compare_times(slowed, slower).outcome, Outcome::kUnclear);
  const PointComparison paired = compare_times(slowed, slower, kPaired);
  EXPECT_EQ(paired.outcome, Outcome::kSlower);
  EXPECT_NEAR(paired.full->value, 0.1, 1e-12);
  EXPECT_NEAR(paired.full->interval->low, 0.1, 1e-12);
  EXPECT_DOUBLE_EQ(paired.base->median_s, 1.5);
}

TEST(Comparison, PairsLaunchesByTheirStart) {
  const std::vector<double> times = {1, 3, 1.5, 2, 1.2, 2.5};
  std::vector<Launch> base = ring_launches("base", times), head = ring_launches("head", times);
  std::ranges::reverse(head);
  EXPECT_EQ(compare(base, head, kPaired).points.at(0).full->value, 0);

  base[1].points = {unmeasured_point(ring(), Status::kTimeout, "")};  // its pair falls away
  const PointComparison point = compare(base, head, kPaired).points.at(0);
  EXPECT_EQ(point.full->value, 0);
  EXPECT_EQ(point.base->launches, 5);

  expect_refused([&] { compare(base, std::span(head).first(4), kPaired); }, {"6 and 4"});
  head[0].header.command.started = "2026-11-29T11:00:00Z";  // the last two become the first
  head[1].header.command.started = "2026-11-29T11:01:00Z";
  expect_refused([&] { compare(base, head, kPaired); }, {"no pair", "not made in turn"});
}

TEST(Comparison, RefusesToComparePointsWithNone) {
  const std::vector<Launch> base = five({measured_point(ring(), 1)}), empty = five({});
  for (const auto& sides : {std::pair{base, empty}, {empty, base}, {empty, empty}}) {
    expect_refused([&] { compare(sides.first, sides.second, {}); }, {"no measured point in common"},
                   ExitCode::kBaselineMissing);
  }
}

}  // namespace
}  // namespace cpbench
