#include "report/best.hpp"

#include <gtest/gtest.h>

#include "expect_refused.hpp"
#include "report/points.hpp"
#include "report/report_points.hpp"

namespace cpbench {
namespace {

TEST(Best, IsTheFastestOfEachCombination) {
  const Sheet sheet = best_of(
      std::vector{point_of(axes("ring", 512), {2, 2, 2}), point_of(axes("ulysses", 512, "contiguous"), {1, 1, 1}),
                  point_of(axes("ring", 1024), {4, 4, 4}), point_of(axes("ulysses", 1024, "contiguous"), {5, 5, 5})},
      {"seq_len"});
  EXPECT_EQ(names_of(sheet),
            (Lines{"seq_len", "algo", "shard", "time_s", "tflops_per_rank", "ahead_percent", "lead", "runner_up"}));
  EXPECT_EQ(rows_of(sheet), (Lines{"512|ulysses|contiguous|1|500|100|wins|algo ring, shard zigzag",
                                   "1024|ring|zigzag|4|2000|25|wins|algo ulysses, shard contiguous"}));
}

/// The lead of a point of these times over one of those.
std::string lead(const std::vector<double>& times, const std::vector<double>& of_runner_up) {
  const Sheet sheet = best_of(
      std::vector{point_of(axes("ring", 512), times), point_of(axes("ulysses", 512), of_runner_up)}, {"seq_len"});
  return sheet.rows.at(0).at(5).text;
}

TEST(Best, WinsOnlyWhereQuartilesLieApart) {
  EXPECT_EQ(lead({1, 2, 3, 4, 5}, {4.5, 5, 5.5, 6, 7}), "wins");  // to 4, from 5
  EXPECT_EQ(lead({1, 2, 3, 4, 5}, {3, 4, 5, 6, 7}), "within the spread");
  EXPECT_EQ(lead({1, 2, 3, 4, 5}, {6}), "one sample");
}

TEST(Best, OfSeveralLaunchesIsJudgedByAllSamples) {
  std::vector<PointRecord> points = {point_of(axes("ring", 512), {1, 1}), point_of(axes("ring", 512), {3, 3}),
                                     point_of(axes("ulysses", 512), {2.5, 2.5})};
  points[1].axes["file"] = "b.json";
  EXPECT_EQ(rows_of(best_of(points, {"seq_len"})), (Lines{"512|ring|2|1000|25|within the spread|algo ulysses"}));
}

TEST(Best, IsNeverWrong) {
  const std::vector<PointRecord> points = {point_of(axes("ring", 512), {1, 1}), point_of(axes("ulysses", 512), {3, 3}),
                                           unmeasured_point(axes("ring", 512), Status::kInvalid, "dq")};
  EXPECT_EQ(rows_of(best_of(points, {"seq_len"})), (Lines{"512|ulysses|3|1500|-|alone|-"}));
  EXPECT_EQ(rows_of(best_of(std::vector{points[0], points[2]}, {"seq_len"})), (Lines{"512|-|-|-|nothing measured|-"}));
}

TEST(Best, OfEstimatesWinsOnlyByMoreThanTheyAreOffBy) {
  const auto lead_over = [](double of_runner_up) {
    return rows_of(best_of(
        std::vector{planned_point_of(axes("ring", 512), 1), planned_point_of(axes("ulysses", 512), of_runner_up)},
        {"seq_len"}));
  };
  EXPECT_EQ(lead_over(1.04), (Lines{"512|ring|1|500|4|within the error|algo ulysses"}));
  EXPECT_EQ(lead_over(1.25), (Lines{"512|ring|1|500|25|wins|algo ulysses"}));
}

TEST(Best, OfTimesThatAreTheSameHasTheLeastCommunication) {
  std::vector points = {planned_point_of(axes("ring", 512), 1), planned_point_of(axes("ulysses", 512), 1 + 1e-12)};
  points[0].timing->comm_only = summarize({0.5});
  EXPECT_EQ(rows_of(best_of(points, {"seq_len"})), (Lines{"512|ulysses|1|500|0|within the error|algo ring"}));
}

TEST(Best, Fits) {
  std::vector points = {planned_point_of(axes("ring", 512), 1, 8), planned_point_of(axes("ulysses", 512), 3, 7)};
  for (PointRecord& point : points) point.plan->available_bytes = 7;
  EXPECT_EQ(rows_of(best_of(points, {"seq_len"})), (Lines{"512|ulysses|3|1500|-|alone|-"}));
  EXPECT_EQ(caveats_of(points), (Lines{points[0].id + ": does not fit: needs 8 B of the 7 B of a rank"}));
  points.pop_back();
  EXPECT_EQ(rows_of(best_of(points, {"seq_len"})), (Lines{"512|-|-|-|nothing fits|-"}));
  points[0].status = Status::kInvalid;
  points[0].reason = "deadlock";
  EXPECT_EQ(caveats_of(points), (Lines{points[0].id + ": invalid: deadlock"}));
}

TEST(Best, NeedsTimes) {
  expect_refused([] { best_of(std::vector{untimed_point_of(axes("ring", 512), 5)}, {"seq_len"}); },
                 {"--best: no point has time_s", "planned_bytes", "estimated by plan --links --rate"});
}

TEST(Best, RefusesToCompareDifferentWork) {
  std::vector<PointRecord> points = {point_of(axes("ring", 512), {1, 1}), point_of(axes("ulysses", 1024), {3, 3})};
  expect_refused([&] { best_of(points, {"mask"}); },
                 {"points of mask causal", "seq_len 512 and 1024", "add seq_len to --best", "--where seq_len=512"});
  EXPECT_EQ(best_of(points, {"mask", "seq_len"}).rows.size(), 2u);
  points[1].axes["seq_len"] = 512;
  points[1].axes["dtype"] = "fp32";
  expect_refused([&] { best_of(points, {"mask"}); }, {"dtype - and fp32"});
}

TEST(Best, RefusesUnknownAndRepeatedAxes) {
  const std::vector<PointRecord> points = {point_of(axes("ring", 512), {1}), point_of(axes("ulysses", 512), {1})};
  expect_refused([&] { best_of(points, {"seqlen"}); }, {"--best", "\"seqlen\"", "those that vary: algo"});
  expect_refused([&] { best_of(points, {"algo", "algo"}); }, {"--best: algo is given twice"});
}

}  // namespace
}  // namespace cpbench
