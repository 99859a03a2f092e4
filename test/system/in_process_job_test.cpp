#include "system/in_process_job.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace cpbench::test {
namespace {

TEST(InProcessJob, NamesWhatEachRankWaitsForWhenTheJobStandsStill) {
  Case c;
  c.algorithm = find_algorithm("ring");
  c.grid = {.inner = 3};
  c.problem = {.seq_len = 12, .heads = 2, .kv_heads = 2, .head_dim = 8, .head_dim_v = 8};
  c.problem.documents = Documents::whole(12);
  Schedule schedule = build_schedule(c);
  const auto is_exchange = [](const Op& op) { return std::holds_alternative<Exchange>(op.action); };
  auto& first_hop = *std::ranges::find_if(schedule.programs[1].ops, is_exchange);
  std::get<Exchange>(first_hop.action).sends.count = 0;

  InProcessJob job(std::move(schedule), Inputs(c.problem, InputKind::kNormal, 1));
  try {
    job.run(Pass::kForwardBackward);
    FAIL() << "rank 2 has received what nobody sent";
  } catch (const std::logic_error& error) {
    const std::string what = error.what();
    EXPECT_NE(what.find("rank 2: kv hop 0 (op"), std::string::npos) << what;
    EXPECT_NE(what.find("attend 1 (op"), std::string::npos) << what;
  }
}

}  // namespace
}  // namespace cpbench::test
