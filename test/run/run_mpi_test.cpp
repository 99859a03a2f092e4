// Runs as three ranks: programs over MPI, their measurement, clocks and placement.
#include <gtest/gtest.h>

#include <limits>

#include "run/clock_sync.hpp"
#include "run/hand_built.hpp"
#include "run/measure.hpp"
#include "run/placement.hpp"
#include "support/error.hpp"
#include "transport/mpi_transport.hpp"

namespace cpbench {
namespace {

/// Sends the own buffer around and adds what comes; forward and backward alike.
Program two_passes(int ranks, int rank) {
  ProgramWriter writer;
  const BufferId own = writer.buffer(), received = writer.buffer(), sum = writer.buffer();
  OpId before = writer.copy(sum, own);
  for (int pass = 0; pass < 2; ++pass) {
    if (pass == 1) writer.begin_backward();
    const OpId exchange = writer.exchange(Stream::kInner, {{(rank + 1) % ranks, writer.whole(own)}},
                                          {{(rank + ranks - 1) % ranks, writer.whole(received)}}, {before});
    before = writer.sum(sum, received, {exchange});
  }
  return writer.take();
}

Program only(Program program, bool exchanges) {
  erase_if(program.ops, [&](const Op& op) { return std::holds_alternative<Exchange>(op.action) != exchanges; });
  for (Op& op : program.ops) op.after = {};
  return program;
}

class RunOnMpi : public testing::Test {
 protected:
  Communicator world_ = Communicator::world();
  Schedule schedule_ = schedule_of({two_passes(world_.size(), world_.rank())});
  Program computes_ = only(schedule_.programs[0], false), exchanges_ = only(schedule_.programs[0], true);
  FakeBackend backend_;
  BufferSet buffers_{schedule_.of.problem, schedule_.programs[0], backend_};
  MpiTransport transport_{world_};
  Executor full_{buffers_, schedule_.programs[0], backend_, transport_};
  Executor compute_only_{buffers_, computes_, backend_, transport_};
  Executor comm_only_{buffers_, exchanges_, backend_, transport_};
};

TEST_F(RunOnMpi, ExecutesAProgram) {
  const int rank = world_.rank(), left = (rank + world_.size() - 1) % world_.size();
  for (int iteration = 1; iteration <= 10; ++iteration) {
    std::ranges::fill(floats_of(full_.memory(), 0), static_cast<float>(iteration * (rank + 1)));
    full_.run(Pass::kForwardBackward);
    EXPECT_EQ(floats_of(full_.memory(), 2)[0], static_cast<float>(iteration * (rank + 1 + 2 * (left + 1))));
  }
}

TEST_F(RunOnMpi, MeasuresThreeVariantsEachIteration) {
  const Measurement result = measure(world_, {compute_only_, comm_only_, full_},
                                     {.warmup = 2, .iterations = 7, .pass = Pass::kForwardBackward});
  EXPECT_EQ(backend_.log.size(), (2u + 7u) * 6u) << "three compute operations in two of three variants";
  EXPECT_EQ(backend_.log.back(), &std::as_const(schedule_).programs[0].ops.back())
      << "the results left are those of a full run";
  EXPECT_EQ(result.spans.size(), schedule_.programs[0].ops.size());
  for (const TimingSummary* summary : {&result.timing.full, &result.timing.compute_only, &result.timing.comm_only}) {
    ASSERT_EQ(summary->samples_s.size(), 7u);
    for (const double sample : summary->samples_s) {
      EXPECT_GT(sample, 0);
      EXPECT_EQ(world_.min_over_ranks(sample), world_.max_over_ranks(sample)) << "ranks must agree on the samples";
    }
  }
}

TEST_F(RunOnMpi, TheBackwardPassAloneStartsFromOneForwardPass) {
  std::ranges::fill(floats_of(full_.memory(), 0), 1.0f);
  const Measurement result =
      measure(world_, {compute_only_, comm_only_, full_}, {.warmup = 0, .iterations = 2, .pass = Pass::kBackward});
  EXPECT_EQ(result.spans.size(), 2u);
  EXPECT_EQ(backend_.log.size(), 2u + 2u * 2u) << "forward has two, backward one in two variants";
}

TEST(ClocksOnMpi, OneMachinesClockDiffersByNoMoreThanTheResidual) {
  const Communicator world = Communicator::world();
  const ClockOffset offset = synchronize_clocks(world);
  EXPECT_LE(std::abs(offset.offset_ns), offset.residual_ns);
  if (world.rank() == 0) {
    EXPECT_EQ(offset.residual_ns, 0);
  } else {
    EXPECT_GT(offset.residual_ns, 0);
  }
}

TEST(PlacementOnMpi, FindsTheRanksOfTheNode) {
  const Communicator world = Communicator::world();
  const Placement placement = find_placement(world);
  EXPECT_EQ(placement.local_size, world.size());
  EXPECT_EQ(placement.local_rank, world.rank());
  EXPECT_GE(placement.node_cpus, static_cast<int>(placement.cpus.size()));
  EXPECT_EQ(placement.smallest_node_cpus, placement.node_cpus) << "there is one node";
  EXPECT_EQ(placement.threads_per_rank, std::max(1, placement.node_cpus / world.size()));
  EXPECT_EQ(placement.ranks_per_node, world.size());
  EXPECT_FALSE(placement.host.empty());
}

TEST(PlacementOnMpi, UnequalNodesAreSharedAlikeByAllRanks) {
  const Communicator world = Communicator::world();
  const bool is_alone = world.rank() == 2;
  const Placement placement = find_placement(world, world.split(is_alone ? 1 : 0));
  EXPECT_EQ(placement.local_size, is_alone ? 1 : 2);
  EXPECT_EQ(placement.threads_per_rank, std::max(1, placement.smallest_node_cpus / 2)) << "not all CPUs for the third";
  EXPECT_EQ(placement.ranks_per_node, 1) << "groups of two would lie on two nodes";
}

TEST(PlacementOnMpi, TheWarningOfAnyRankReachesAll) {
  const Communicator world = Communicator::world();
  Placement placement{"host", world.rank(), world.size(), {0, 1, 2}, 8};
  EXPECT_EQ(thread_warning(world, placement, 2), "");
  if (world.rank() == 1) placement.cpus = {5};
  const std::string warning = thread_warning(world, placement, 2);
  EXPECT_NE(warning.find("2 threads share 1 CPU (5)"), std::string::npos) << warning;
}

TEST(PlacementOnMpi, RefusesMoreMemoryThanTheNodeHasOnEveryRank) {
  const Communicator node = Communicator::world().node();
  require_memory(node, {.bytes = 1});
  const std::int64_t too_much = node.rank() == 1 ? std::numeric_limits<std::int64_t>::max() / 2 : 0;
  EXPECT_THROW(require_memory(node, {.bytes = too_much}), Error);
}

}  // namespace
}  // namespace cpbench
