// Times that follow from a case by hand, and what holds of every case.
#include "estimate/estimate.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <set>

#include "estimate/cases.hpp"
#include "schedule/small_cases.hpp"

namespace cpbench {
namespace {

constexpr double kClose = 1e-12;  // relative: sums of rounded times

void expect_close(double found, double expected) { EXPECT_NEAR(found, expected, kClose * expected); }

/// A ring of `ranks` with steps of `compute_s` and hops of `hop_s`, half of which is latency.
Estimate ring(int ranks, double compute_s, double hop_s, bool overlap) {
  Case c = case_of("ring", {.inner = ranks});
  c.overlap = overlap;
  const Schedule schedule = build_schedule(c);
  MachineModel machine;
  machine.forward_flops_per_second = rate_for(schedule, ranks * compute_s);
  machine.links.speeds[0] = speed_for(block_bytes(c), hop_s / 2, hop_s / 2);
  return estimate(schedule, machine);
}

TEST(Estimate, OfARingIsTheLongerOfAStepAndAHopForEachStep) {
  for (const int ranks : {2, 4, 8}) {
    for (const auto& [compute_s, hop_s] : {std::pair{3.0, 1.0}, {2.0, 2.0}, {1.0, 5.0}}) {
      const Estimate on = ring(ranks, compute_s, hop_s, true), off = ring(ranks, compute_s, hop_s, false);
      expect_close(on.slowest.full_s, (ranks - 1) * std::max(compute_s, hop_s) + compute_s);
      expect_close(off.slowest.full_s, (ranks - 1) * (compute_s + hop_s) + compute_s);
      for (const Estimate& estimate : {on, off}) {
        expect_close(estimate.slowest.compute_only_s, ranks * compute_s);
        expect_close(estimate.slowest.comm_only_s, (ranks - 1) * hop_s);
        EXPECT_EQ(estimate.slowest.exposed_s(), std::max(0.0, estimate.slowest.full_s - ranks * compute_s));
        ASSERT_EQ(estimate.of_rank.size(), static_cast<std::size_t>(ranks));
        for (const TimeEstimate& rank : estimate.of_rank) expect_close(rank.full_s, estimate.slowest.full_s);
      }
    }
  }
}

TEST(Estimate, OfUlyssesIsTheSumOfItsAllToAllsAndItsAttention) {
  const Schedule schedule = build_schedule(case_of("ulysses", {.ulysses = 4}));
  const auto sent = static_cast<double>(figures_of(schedule, 0, 0).bytes_sent());
  MachineModel machine;
  machine.forward_flops_per_second = rate_for(schedule, 7);
  machine.links.speeds[static_cast<std::size_t>(Link::kAllToAll)] = speed_for(sent, 3, 0.25);
  const TimeEstimate slowest = estimate(schedule, machine).slowest;
  expect_close(slowest.full_s, 7 + 3 + 2 * 0.25);
  expect_close(slowest.comm_only_s, 3 + 2 * 0.25);
  expect_close(slowest.exposed_s(), 3 + 2 * 0.25);
}

TEST(Estimate, OfADoubleRingHidesTheHopBetweenWindowsBehindAWholeWindow) {
  const Case c = case_of("double-ring", {.outer = 2, .inner = 4});
  const Schedule schedule = build_schedule(c);
  MachineModel machine;
  machine.forward_flops_per_second = rate_for(schedule, 8);  // a second a step
  machine.links.speeds[static_cast<std::size_t>(Link::kInner)] = speed_for(block_bytes(c), 0.5);
  for (const double outer_hop_s : {1.0, 3.5, 4.0, 6.0, 9.0}) {
    machine.links.speeds[static_cast<std::size_t>(Link::kOuter)] = speed_for(block_bytes(c), outer_hop_s);
    const TimeEstimate slowest = estimate(schedule, machine).slowest;
    expect_close(slowest.full_s, std::max(4.0, outer_hop_s) + 4);
  }
}

TEST(Estimate, OfAPlainRingOverTwoNodesIsBoundByTheLinkBetweenThem) {
  const Case c = case_of("ring", {.inner = 8});
  const Schedule schedule = build_schedule(c);
  MachineModel machine;
  machine.forward_flops_per_second = rate_for(schedule, 8);
  machine.links.ranks_per_node = 4;
  machine.links.speeds[static_cast<std::size_t>(Link::kInner)] = speed_for(block_bytes(c), 0.5);
  machine.links.speeds[static_cast<std::size_t>(Link::kOuter)] = speed_for(block_bytes(c), 3);
  const Estimate estimated = estimate(schedule, machine);
  expect_close(estimated.slowest.full_s, 7 * 3 + 1);
  EXPECT_LT(estimated.of_rank[3].full_s, estimated.slowest.full_s + kClose);
}

TEST(Estimate, BackwardWorkTakesItsOwnRate) {
  Case c = case_of("ring", {.inner = 4});
  MachineModel machine;  // links take no time
  machine.forward_flops_per_second = 2e6;
  machine.backward_flops_per_second = 5e6;
  const auto seconds = [&](Pass pass) {
    c.pass = pass;
    return estimate(build_schedule(c), machine).slowest.full_s;
  };
  const double forward = seconds(Pass::kForward), backward = seconds(Pass::kBackward);
  EXPECT_NEAR(backward, forward * 2.5 * 2 / 5, 1e-9) << "2.5 times the FLOPs at 2.5 times the rate";
  EXPECT_NEAR(seconds(Pass::kForwardBackward), forward + backward, 1e-9);
}

TEST(Estimate, AddingAndRoundingTakeTimeWhereMemoryHasABandwidth) {
  Case c = case_of("ring", {.inner = 4});
  c.pass = Pass::kForwardBackward;
  const Schedule schedule = build_schedule(c);
  MachineModel machine;
  machine.forward_flops_per_second = machine.backward_flops_per_second = 1e12;
  const double without = estimate(schedule, machine).slowest.compute_only_s;
  machine.memory_bytes_per_second = 1e9;
  const double more = estimate(schedule, machine).slowest.compute_only_s - without;
  machine.memory_bytes_per_second = 2e9;
  EXPECT_NEAR(estimate(schedule, machine).slowest.compute_only_s - without, more / 2, 1e-12);
  // 3 times += of a block's gradient in fp32, and delta, which reads out and dout, and the rounding of dq, dk and dv.
  const Problem& p = c.problem;
  const std::int64_t rows = p.seq_len / 4;
  const auto values = static_cast<double>(rows * p.heads);
  const double adds = 3 * values * 16 * 4 * 3, delta = values * (8 * 2 * 2 + 4), rounding = values * 24 * (4 + 2);
  EXPECT_NEAR(more * 1e9, adds + delta + rounding, 1e-3);
}

TEST(Estimate, OfOneRankIsItsCompute) {
  const Schedule schedule = build_schedule(case_of("ring", {.inner = 1}));
  MachineModel machine;
  machine.forward_flops_per_second = rate_for(schedule, 3);
  machine.links.speeds.fill(LinkModel::Speed{1, 1});
  const TimeEstimate slowest = estimate(schedule, machine).slowest;
  expect_close(slowest.full_s, 3);
  EXPECT_EQ(slowest.comm_only_s, 0);
  EXPECT_EQ(slowest.exposed_s(), 0);
}

/// Random cases on random machines.
class AnyCase : public testing::TestWithParam<std::uint64_t> {
 protected:
  MachineModel random_machine() {
    const auto draw = [&](std::initializer_list<double> values) {
      return *(values.begin() + random_() % values.size());
    };
    MachineModel machine;
    machine.forward_flops_per_second = draw({1e8, 1e9, 1e10});
    machine.backward_flops_per_second = draw({1e8, 1e9, 1e10});
    if (random_() % 2 == 0) machine.memory_bytes_per_second = draw({1e9, 1e10});
    for (auto& speed : machine.links.speeds) {
      if (random_() % 4 != 0) speed = LinkModel::Speed{draw({1e6, 1e7, 1e8}), draw({0, 1e-6, 1e-4})};
    }
    machine.links.ranks_per_node = static_cast<int>(random_() % 4);
    return machine;
  }

  /// Calls `visit` with the operation, kind of link and seconds of everything that the rank sends over a link.
  template <typename Visitor>
  void for_each_send(int rank, Visitor&& visit) const {
    const Program& program = schedule_.programs[static_cast<std::size_t>(rank)];
    for (const Op& op : program.ops) {
      const auto* exchange = std::get_if<Exchange>(&op.action);
      if (exchange == nullptr || !belongs_to(op, case_.pass)) continue;
      for (const Transfer& send : program.sends(*exchange)) {
        const Link link = machine_.links.link_of(send.link, rank, send.peer);
        const auto& speed = machine_.links.of(link);
        if (!speed || send.peer == rank) continue;
        const auto bytes = static_cast<double>(program.bytes(send.region, case_.problem.batch));
        visit(op, static_cast<std::size_t>(link), bytes / speed->bytes_per_second);
      }
    }
  }
  std::array<double, kLinks> busy_seconds(int rank) const {
    std::array<double, kLinks> seconds{};
    for_each_send(rank, [&](const Op&, std::size_t link, double of_send) { seconds[link] += of_send; });
    return seconds;
  }
  bool streams_share_a_link() const {
    bool shared = false;
    for (int rank = 0; rank < case_.cp_size(); ++rank) {
      std::array<std::set<Stream>, kLinks> streams;
      for_each_send(rank, [&](const Op& op, std::size_t link, double) { streams[link].insert(op.stream); });
      shared |= std::ranges::any_of(streams, [](const auto& of_link) { return of_link.size() > 1; });
    }
    return shared;
  }

  std::mt19937_64 random_{GetParam()};
  const Case case_ = random_small_case(random_);
  const Schedule schedule_ = build_schedule(case_);
  const MachineModel machine_ = random_machine();
};

TEST_P(AnyCase, TakesNoLessThanItComputes) {
  SCOPED_TRACE(describe(case_));
  for (const TimeEstimate& rank : estimate(schedule_, machine_).of_rank) {
    EXPECT_GE(rank.full_s, rank.compute_only_s * (1 - kClose));
  }
}

TEST_P(AnyCase, TakesNoLessThanItsLinksAreBusy) {
  SCOPED_TRACE(describe(case_));
  const Estimate estimated = estimate(schedule_, machine_);
  for (std::size_t rank = 0; rank < estimated.of_rank.size(); ++rank) {
    for (const double busy_s : busy_seconds(static_cast<int>(rank))) {
      EXPECT_GE(estimated.of_rank[rank].full_s, busy_s * (1 - kClose));
      EXPECT_GE(estimated.of_rank[rank].comm_only_s, busy_s * (1 - kClose));
    }
  }
}

// Where two streams send by one link, what is earlier may be sent in another order, and be later in the end.
TEST_P(AnyCase, WithLinksOfOneStreamEachIsNotFasterThanWithoutComputeOrOverlapOrOnSlowerLinks) {
  if (streams_share_a_link()) return;
  SCOPED_TRACE(describe(case_));
  const Estimate estimated = estimate(schedule_, machine_);
  for (const TimeEstimate& rank : estimated.of_rank) EXPECT_GE(rank.full_s, rank.comm_only_s * (1 - kClose));

  MachineModel faster = machine_;
  for (auto& speed : faster.links.speeds) {
    if (speed) speed->bytes_per_second *= 2;
  }
  EXPECT_LE(estimate(schedule_, faster).slowest.full_s, estimated.slowest.full_s * (1 + kClose));

  Case serial = case_;
  serial.overlap = false;
  EXPECT_LE(estimated.slowest.full_s, estimate(build_schedule(serial), machine_).slowest.full_s * (1 + kClose));
}

INSTANTIATE_TEST_SUITE_P(Random, AnyCase, testing::Range<std::uint64_t>(0, 400));

}  // namespace
}  // namespace cpbench
