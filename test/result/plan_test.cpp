#include "result/plan.hpp"

#include <gtest/gtest.h>

namespace cpbench {
namespace {

PlanRecord point(const std::string& algo, double full_s, std::int64_t memory_bytes) {
  PlanRecord point{.id = "0-" + algo + "-cp1", .axes = {{"algo", algo}, {"cp_size", 1}}, .ranks = {PlannedRank{}}};
  point.ranks[0].memory_bytes = memory_bytes;
  point.work.flops = 1'000'000'000'000;
  point.estimate = point.ranks[0].estimate = TimeEstimate{full_s, full_s / 2, full_s / 4};
  point.machine = MachineModel{.forward_flops_per_second = 1, .backward_flops_per_second = 2};
  return point;
}

/// Where each of the texts begins, in this order.
bool in_order(const std::string& text, std::initializer_list<std::string_view> parts) {
  std::size_t from = 0;
  for (const std::string_view part : parts) {
    from = text.find(part, from);
    if (from == std::string::npos) return false;
  }
  return true;
}

TEST(EstimatesTable, IsSortedByTime) {
  const std::vector points = {point("slow", 3, 5), point("fast", 1, 5), point("middle", 2, 5)};
  const std::string table = estimates_table(points, std::nullopt);
  EXPECT_TRUE(in_order(table, {"fastest first", "\n  fast ", "\n  middle ", "\n  slow "})) << table;
  EXPECT_EQ(table.find("fits"), std::string::npos);
}

TEST(EstimatesTable, TheLessCommunicationComesFirstWhereTimesAreTheSame) {
  std::vector points = {point("all", 1, 5), point("some", 1, 5), point("slower", 1.02, 5), point("slow", 2, 5)};
  points[0].estimate->comm_only_s = 0.9;
  points[1].estimate->full_s += 1e-12;  // of rounding
  points[1].estimate->comm_only_s = 0.1;
  const std::string table = estimates_table(points, std::nullopt);
  EXPECT_TRUE(in_order(table, {"\n  some ", "\n  all ", "\n  slower ", "\n  slow ",
                               "\n# the first 3 differ by 2.0%, less than an estimate can tell"}))
      << table;
  EXPECT_EQ(estimates_table(std::vector{points[0], points[3]}, std::nullopt).find("differ"), std::string::npos);
}

TEST(EstimatesTable, OnlyWhatComputesTheSameIsCompared) {
  std::vector points = {point("a", 3, 5), point("b", 2, 5), point("c", 1, 5), point("d", 1.01, 5)};
  for (const std::size_t i : {0, 2, 3}) points[i].axes["seq_len"] = 100;
  points[1].axes["seq_len"] = 200;
  const std::string table = estimates_table(points, std::nullopt);
  EXPECT_TRUE(in_order(table, {"\n  c ", "\n  d ", "\n  a ", "\n# the first 2 differ", "\n#\n  b "})) << table;
}

TEST(EstimatesTable, MarksWhatNeedsMoreMemoryThanThereIs) {
  const std::vector points = {point("a", 1, 5), point("b", 2, 6)};
  const std::string table = estimates_table(points, 5);
  EXPECT_TRUE(in_order(table, {"fits", "\n  a ", " yes\n", "\n  b ", " TOO MUCH\n"})) << table;
}

TEST(EstimatesTable, LeavesOutWhatHasNoEstimate) {
  PlanRecord skipped{.axes = {{"algo", "skipped"}}, .status = Status::kSkipped, .reason = "impossible"};
  EXPECT_EQ(estimates_table(std::vector{skipped, point("a", 1, 5)}, std::nullopt).find("skipped"), std::string::npos);
  EXPECT_EQ(estimates_table(std::vector{skipped}, std::nullopt), "");
}

TEST(PlanFile, SaysWhatIsWrongWithAPointThatDidNotVerify) {
  PlanRecord invalid = point("ring", 1, 5);
  invalid.status = Status::kInvalid;
  invalid.faults = {"deadlock: rank 0 never starts"};
  invalid.estimate = invalid.ranks[0].estimate = std::nullopt;
  const Json json = json_of(PlanFile{.points = {invalid, point("ring", 1, 5)}, .exit_code = 3});
  EXPECT_EQ(json["points"][0]["status"], "invalid");
  EXPECT_EQ(json["points"][0]["faults"], Json(invalid.faults));
  EXPECT_FALSE(json["points"][0].contains("estimate"));
  EXPECT_FALSE(json["points"][0]["ranks"][0].contains("estimate"));
  EXPECT_FALSE(json["points"][1].contains("faults"));
  EXPECT_EQ(json["points"][1]["estimate"]["tflops_per_rank"], 1);
  EXPECT_EQ(json["exit_code"], 3);
}

TEST(PlanFile, SaysNothingOfARateThatWasNotNeeded) {
  PlanRecord forward = point("ring", 1, 5);
  forward.machine = MachineModel{.forward_flops_per_second = 3e12};
  const Json json = json_of(PlanFile{.points = {forward}});
  EXPECT_EQ(json["points"][0]["estimate"]["machine"]["forward_tflops"], 3);
  EXPECT_EQ(json["points"][0]["estimate"]["machine"]["backward_tflops"], nullptr);
}

TEST(PlanRecord, BalanceIsTheMeanOfTheLargest) {
  PlanRecord uneven{.ranks = std::vector<PlannedRank>(4)};
  uneven.work.ranks = 4;
  for (std::size_t rank = 0; rank < 4; ++rank) {
    uneven.ranks[rank].figures.flops = rank == 0 ? 8 : 4;
    uneven.work.add(uneven.ranks[rank].figures);
  }
  EXPECT_EQ(load_balance_of(uneven), 5.0 / 8);
  EXPECT_EQ(load_balance_of(PlanRecord{.ranks = std::vector<PlannedRank>(4)}), 1) << "nobody has any";
}

}  // namespace
}  // namespace cpbench
