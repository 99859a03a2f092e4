#include "report/pivot.hpp"

#include <gtest/gtest.h>

#include "expect_refused.hpp"
#include "report/report_points.hpp"

namespace cpbench {
namespace {

Sheet pivot(const std::vector<PointRecord>& points, const std::vector<std::string>& rows = {"algo"}) {
  return pivot_of(points, {.rows = rows, .columns = "seq_len"}, find_figure("time_s"));
}

TEST(Pivot, HasARowAndAColumnForEachValue) {
  const Sheet sheet = pivot({point_of(axes("ring", 1024), {0.25}), point_of(axes("ring", 512), {0.125}),
                             point_of(axes("ulysses", 512, "contiguous"), {0.5, 0.5, 2})},
                            {"algo", "shard"});
  EXPECT_EQ(names_of(sheet), (Lines{"algo", "shard", "seq_len=512", "seq_len=1024"}));
  EXPECT_EQ(sheet.columns[2].unit, "s");
  EXPECT_EQ(rows_of(sheet), (Lines{"ring|zigzag|0.125|0.25", "ulysses|contiguous|0.5|-"}));
  EXPECT_TRUE(sheet.notes.empty());
}

TEST(Pivot, RefusesToMixWhatDiffersOtherwise) {
  PointRecord other = point_of(axes("ring", 512), {2});
  other.axes["mask"] = "full";
  expect_refused(
      [&] {
        pivot({point_of(axes("ring", 512), {1}), other});
      },
      {"algo ring, seq_len 512", "differ in mask (causal, full)", "add mask to --rows", "--where mask=causal"});
  EXPECT_EQ(pivot({point_of(axes("ring", 512), {1}), other}, {"algo", "mask"}).rows.size(), 2u);
}

TEST(Pivot, OfRepeatedLaunchesHasTheMedian) {
  std::vector<PointRecord> points;
  for (const double time : {1.0, 8.0, 2.0}) points.push_back(point_of(axes("ring", 512), {time}));
  points[1].axes["file"] = "b.json";
  const Sheet sheet = pivot(points);
  EXPECT_EQ(rows_of(sheet), (Lines{"ring|2"}));
  EXPECT_EQ(sheet.notes, (Lines{"cells are medians over the launches of a point, 3 at most"}));
  EXPECT_EQ(rows_of(pivot(points, {"file"})), (Lines{"-|1.5", "b.json|8"})) << "launches apart";
}

TEST(Pivot, ShowsWhatBecameOfPointsWithoutAFigure) {
  PointRecord untimed = point_of(axes("hybrid", 512), {1});
  untimed.timing.reset();
  const std::vector<PointRecord> points = {
      point_of(axes("ring", 512), {1}), point_of(axes("ring", 1024), {1}),
      unmeasured_point(axes("ring", 1024), Status::kInvalid, "dq"),  // by another launch: it has no speed
      unmeasured_point(axes("ulysses", 512), Status::kSkipped, "heads"), untimed};
  EXPECT_EQ(rows_of(pivot(points)), (Lines{"ring|1|invalid", "ulysses|skipped|-", "hybrid|not measured|-"}));
}

TEST(Pivot, WhatWasSkippedIsNoRivalOfWhatRan) {
  std::vector<PointRecord> points = {unmeasured_point(axes("ring", 512), Status::kSkipped, "why"),
                                     point_of(axes("ring", 512), {1})};
  points[0].axes["window_size"] = 3;
  EXPECT_EQ(rows_of(pivot(points)), (Lines{"ring|1"}));
}

TEST(Pivot, ShowsFiguresOfPlansWithoutTimes) {
  const std::vector points = {untimed_point_of(axes("ring", 512), 5), untimed_point_of(axes("ulysses", 512), 6),
                              unmeasured_point(axes("hybrid", 512), Status::kSkipped, "heads")};
  const PivotAxes by_algo{.rows = {"algo"}, .columns = "seq_len"};
  EXPECT_EQ(rows_of(pivot_of(points, by_algo, find_figure("planned_bytes"))),
            (Lines{"ring|5", "ulysses|6", "hybrid|skipped"}));
  EXPECT_EQ(rows_of(pivot_of(points, by_algo, find_figure("load_balance"))),
            (Lines{"ring|0.5", "ulysses|0.5", "hybrid|skipped"}));
  expect_refused([&] { pivot_of(points, by_algo, find_figure("peak_bytes")); },
                 {"--value: no point has peak_bytes; there are ", "bytes_sent_per_rank, planned_bytes, load_balance"});
}

TEST(Pivot, RefusesFiguresThatNoPointHas) {
  const std::vector points = {point_of(axes("ring", 512), {1})};
  const PivotAxes by_algo{.rows = {"algo"}, .columns = "seq_len"};
  expect_refused([&] { pivot_of(points, by_algo, find_figure("peak_bytes")); },
                 {"no point has peak_bytes", "time_s, "});
  const std::vector nothing = {unmeasured_point(axes("ring", 512), Status::kFailed, "memory")};
  EXPECT_EQ(rows_of(pivot_of(nothing, by_algo, find_figure("peak_bytes"))), (Lines{"ring|failed"}));
}

TEST(Pivot, RefusesUnknownAndRepeatedAxes) {
  const std::vector<PointRecord> points = {point_of(axes("ring", 512), {1}), point_of(axes("ring", 1024), {1})};
  expect_refused([&] { pivot(points, {"algorithm"}); }, {"--rows", "\"algorithm\"", "those that vary: seq_len"});
  expect_refused([&] { pivot(points, {"algo", "algo"}); }, {"--rows", "algo is given twice"});
  expect_refused([&] { pivot(points, {"seq_len"}); }, {"--rows and --columns", "seq_len is given twice"});
}

}  // namespace
}  // namespace cpbench
