#include "result/plan.hpp"

#include <gtest/gtest.h>

#include "transport/link_model.hpp"

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

/// With a point of each kind.
PlanFile plan() {
  PlanRecord estimated = point("ring", 2, 1 << 20), invalid = point("mistaken", 1, 5),
             skipped{.id = "2-hybrid", .axes = {{"algo", "hybrid"}}, .status = Status::kSkipped, .reason = "6 heads"};
  estimated.axes.update({{"batch", 2}, {"seq_len", 1000}});
  estimated.ranks.push_back(estimated.ranks[0]);
  estimated.ranks[0].tokens = 500;
  RankFigures& figures = estimated.ranks[0].figures;
  figures = {
      .flops = 3'000, .bytes_by_link = {10, 20, 30}, .bytes_within_node = 15, .bytes_between_nodes = 45, .messages = 7};
  estimated.ranks[1].figures.flops = 1'000;
  estimated.work = {.tokens = 2000, .ranks = 2};
  for (const PlannedRank& rank : estimated.ranks) estimated.work.add(rank.figures);
  estimated.machine->links = parse_link_model("inner=400:3,outer=50");
  estimated.machine->links.ranks_per_node = 1;
  estimated.machine->backward_flops_per_second = std::nullopt;
  invalid.axes.update({{"batch", 1}, {"seq_len", 10}});
  invalid.status = Status::kInvalid;
  invalid.faults = {"deadlock", "rank 0 reads\nnothing"};
  invalid.estimate = invalid.ranks[0].estimate = std::nullopt;
  invalid.machine = std::nullopt;
  return {.tool = {.version = "1.2", .git = "abc", .dirty = true, .build = {"Release", "GNU", "-O3"}},
          .command = {.argv = {"cpbench", "plan"}, .config = {}, .sha256 = {}, .started = "2026-01-31T12:00:00Z"},
          .ranks_per_node = 1,
          .backend = "cuda",
          .available_bytes = std::int64_t{1} << 19,
          .points = {estimated, invalid, skipped},
          .exit_code = 3};
}

TEST(PlanFile, IsReadAsItWasWritten) {
  const Json written = json_of(plan());
  EXPECT_EQ(json_of(plan_file_of(written)), written);
  PlanFile bare = plan();
  bare.available_bytes = std::nullopt;
  bare.points[0].estimate = bare.points[0].ranks[0].estimate = bare.points[0].ranks[1].estimate = std::nullopt;
  EXPECT_EQ(json_of(plan_file_of(json_of(bare))), json_of(bare));
}

TEST(PlanFile, HasPointsAsIfTheyHadBeenRun) {
  const std::vector<PointRecord> points = points_of(plan_file_of(json_of(plan())));
  ASSERT_EQ(points.size(), 3u);
  const PointRecord& ring = points[0];
  EXPECT_EQ(ring.axes, (Json{{"algo", "ring"},
                             {"cp_size", 1},
                             {"batch", 2},
                             {"seq_len", 1000},
                             {"ranks_per_node", 1},
                             {"backend", "cuda"},
                             {"memory", 1.0 / 2048},
                             {"links", "inner=400:3,outer=50"},
                             {"forward_tflops", 1e-12}}));
  EXPECT_EQ(ring.timing->full.samples_s, std::vector<double>{2});
  EXPECT_EQ(ring.timing->comm_only.median_s, 0.5);
  EXPECT_EQ(ring.throughput->tokens_per_s, 1000);
  EXPECT_EQ(ring.throughput->tflops_per_rank, 2000 / 1e12 / 2);
  EXPECT_EQ(ring.comm->bytes_sent_per_rank, 60);
  EXPECT_EQ(ring.comm->exposed_s, 1);
  EXPECT_EQ(ring.memory->planned_bytes, 1 << 20);
  EXPECT_EQ(ring.plan->bytes_between_nodes, 45);
  EXPECT_EQ(ring.plan->load_balance, 2.0 / 3);
  EXPECT_FALSE(ring.fits());
  EXPECT_TRUE(points[1].fits());
  EXPECT_EQ(points[1].reason, "deadlock; rank 0 reads nothing");
  EXPECT_FALSE(points[1].has_figures());
  EXPECT_EQ(points[2].reason, "6 heads");
  EXPECT_TRUE(points[2].plan) << "it was planned, too";
  EXPECT_FALSE(points[2].memory);
}

TEST(PlanFile, OfOneNodeSendsNothingBetweenNodes) {
  PlanFile file = plan();
  file.ranks_per_node = 0;
  EXPECT_EQ(points_of(file)[0].plan->bytes_between_nodes, std::nullopt);
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
