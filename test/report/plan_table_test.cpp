#include "report/plan_table.hpp"

#include <gtest/gtest.h>

#include "report/report_points.hpp"

namespace cpbench {
namespace {

PointRecord point(const std::string& algo, double full_s, std::int64_t memory_bytes = 5) {
  return planned_point_of(axes(algo, 512), full_s, memory_bytes);
}

std::string table_of(const std::vector<PointRecord>& points) {
  const Table table({}, planned_figures(points));
  return table.heading({}) + planned_rows(table, points);
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

TEST(PlanTable, IsSortedByTime) {
  const std::string table = table_of({point("slow", 3), point("fast", 1), point("middle", 2)});
  EXPECT_TRUE(in_order(table, {"# algo", "time", "\n  fast ", "\n  middle ", "\n  slow "})) << table;
  EXPECT_EQ(table.find("fits"), std::string::npos);
  EXPECT_EQ(table.find("between"), std::string::npos);
}

TEST(PlanTable, TheLessCommunicationComesFirstWhereTimesAreTheSame) {
  std::vector points = {point("all", 1), point("some", 1 + 1e-12), point("slower", 1.02), point("slow", 2)};
  points[0].timing->comm_only = summarize({0.9});
  const std::string table = table_of(points);
  EXPECT_TRUE(in_order(table, {"\n  some ", "\n  all ", "\n  slower ", "\n  slow ",
                               "\n# the first 3 differ by 2.0%, less than an estimate can tell"}))
      << table;
  EXPECT_EQ(table_of({points[0], points[3]}).find("differ"), std::string::npos);
}

TEST(PlanTable, OnlyWhatComputesTheSameIsCompared) {
  std::vector points = {point("a", 3), point("b", 2), point("c", 1), point("d", 1.01)};
  points[1].axes["seq_len"] = 200;
  const std::string table = table_of(points);
  EXPECT_TRUE(in_order(table, {"\n  c ", "\n  d ", "\n  a ", "\n# the first 2 differ", "\n#\n  b "})) << table;
}

TEST(PlanTable, WhatNeedsMoreMemoryThanThereIsComesAfterWhatFits) {
  std::vector points = {point("a", 1, 6), point("b", 1.01, 6), point("c", 2, 5)};
  for (PointRecord& one : points) one.plan->available_bytes = 5;
  const std::string table = table_of(points);
  EXPECT_TRUE(in_order(table, {"fits", "\n  c ", " yes ", "\n  a ", " NO ", "\n  b ", " NO "})) << table;
  EXPECT_EQ(table.find("differ"), std::string::npos) << "none of the first fits but one";
}

TEST(PlanTable, WithoutTimesHasTheOrderOfThePoints) {
  std::vector points = {untimed_point_of(axes("b", 512), 5), untimed_point_of(axes("a", 1024), 6),
                        untimed_point_of(axes("c", 512), 7)};
  points[0].plan->bytes_between_nodes = 3 << 20;
  const std::string table = table_of(points);
  EXPECT_TRUE(in_order(table, {"balance", "\n  b ", " 3.00 MiB ", "0.500\n  a ", " 6 B ", " - ", "\n  c "})) << table;
  for (const char* absent : {"time", "TFLOP/s", "fits", "differ"}) {
    EXPECT_EQ(table.find(absent), std::string::npos) << absent;
  }
}

TEST(PlanTable, SaysWhyAPointHasNoFigures) {
  PointRecord skipped = unmeasured_point(axes("hybrid", 512), Status::kSkipped, "6 heads");
  skipped.plan = PlanFigures();
  PointRecord invalid = untimed_point_of(axes("mistaken", 512), 5);
  invalid.status = Status::kInvalid;
  invalid.reason = "deadlock";
  const std::string table = table_of({skipped, invalid, point("ring", 1)});
  EXPECT_TRUE(in_order(table, {"\n  ring ", "\n  hybrid ", " skipped: 6 heads\n  mistaken ", " invalid: deadlock\n"}))
      << table;
}

}  // namespace
}  // namespace cpbench
