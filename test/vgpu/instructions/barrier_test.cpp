// Barriers, warps' instructions and ordinary accesses: results against formulas, and planted faults.
#include <gtest/gtest.h>

#include <numeric>

#include "vgpu/instructions/barrier_kernels.hpp"
#include "vgpu/support/device_array.hpp"
#include "vgpu/support/orders.hpp"

namespace cpbench::vgpu {
namespace {

std::vector<float> ascending(std::size_t count) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), 1.0f);
  return values;
}

void try_reverse(BarrierPlant plant) {
  constexpr int kBlocks = 3;
  const std::vector<float> input = ascending(64 * kBlocks);
  const DeviceArray<float> in(input), out(input.size());
  const std::vector<float> host(1);
  reverse(plant, kBlocks, in.data(), out.data(), host.data());
  EXPECT_EQ(out.values(), std::vector<float>(input.rbegin(), input.rend()));
}

void try_relay(BarrierPlant plant) {
  const std::vector<float> input = ascending(128);
  const DeviceArray<float> in(input), out(input.size());
  relay(plant, in.data(), out.data());
  for (std::size_t i = 0; i < input.size(); ++i) EXPECT_EQ(out.values()[i], input[i] + 3.0f);
}

void try_warp_reduce(BarrierPlant plant, float first = 1.0f) {
  std::vector<float> input = ascending(32);
  input[0] = first;
  const DeviceArray<float> in(input), sum(32), fifth(32);
  const DeviceArray<int> any(32), all(32);
  warp_reduce(plant, in.data(), sum.data(), fifth.data(), any.data(), all.data());
  const float expected = std::accumulate(input.begin(), input.end(), 0.0f);
  EXPECT_EQ(sum.values(), std::vector<float>(32, expected));
  EXPECT_EQ(fifth.values(), std::vector<float>(32, input[4]));
  EXPECT_EQ(any.values(), std::vector<int>(32, 1));
  EXPECT_EQ(all.values(), std::vector<int>(32, first > 0 ? 1 : 0));
}

using Plant = BarrierPlant;

void expect_in_reverse(const ExpectedFaults& expected, Plant plant) {
  expect_planted_fault(expected, [&](bool planted) { try_reverse(planted ? plant : Plant::kNone); });
}
void expect_in_relay(const ExpectedFaults& expected, Plant plant) {
  expect_planted_fault(expected, [&](bool planted) { try_relay(planted ? plant : Plant::kNone); });
}
void expect_in_warp(const ExpectedFaults& expected, Plant plant) {
  expect_planted_fault(expected, [&](bool planted) { try_warp_reduce(planted ? plant : Plant::kNone); });
}

const ExpectedFaults kMissingBarrier = {{FaultKind::kRace, "without anything that orders"},
                                        {FaultKind::kUninitialised, "shared memory"}};

TEST(Barrier, BlockSyncOrdersSharedMemory) { expect_in_reverse(kMissingBarrier, Plant::kNoBlockSync); }
TEST(Barrier, ThreadThatExitsIsMissed) {
  expect_in_reverse({{FaultKind::kMissedCollective, "exit"}}, Plant::kExitBeforeBlockSync);
}
TEST(Barrier, ThreadsAgreeOnHowManyTheyAre) {
  expect_in_relay({{FaultKind::kMisuse, "others said"}}, Plant::kWrongCount);
}
TEST(Barrier, SomebodyWaitsForEachArrival) {
  expect_in_relay({{FaultKind::kMissedCollective, "32 of 64 threads have arrived at barrier 4"}},
                  Plant::kArrivalTooMany);
}
TEST(Barrier, DeadlockShowsBarriers) {
  expect_in_relay({{FaultKind::kDeadlock, "barrier 2: 32 of 64 threads have arrived"}}, Plant::kNoArrival);
}

TEST(Memory, UnwrittenSharedMemoryIsNotRead) {
  expect_in_reverse({{FaultKind::kUninitialised, "shared memory"}}, Plant::kUnwrittenShared);
}
TEST(Memory, UnwrittenGlobalMemoryIsNotRead) {
  expect_in_reverse({{FaultKind::kUninitialised, "global memory"}}, Plant::kUnwrittenGlobal);
}
TEST(Memory, SharedMemoryHasAnEnd) {
  expect_in_reverse({{FaultKind::kOutOfBounds, "shared memory"}}, Plant::kBeyondShared);
}
TEST(Memory, AllocationsHaveEnds) {
  expect_in_reverse({{FaultKind::kOutOfBounds, "in no allocation"}}, Plant::kBeyondGlobal);
}
TEST(Memory, TheHostsMemoryIsOutOfReach) {
  expect_in_reverse({{FaultKind::kOutOfBounds, "the host's memory"}}, Plant::kHostMemory);
}
TEST(Memory, TwoBlocksDoNotWriteTheSame) {
  expect_in_reverse({{FaultKind::kBlockRace, "by block"}}, Plant::kTwoBlocks);
}
TEST(Memory, BlocksDoNotReadWhatOthersWrite) {
  expect_in_reverse({{FaultKind::kBlockRace, "by block"}, {FaultKind::kUninitialised, "global memory"}},
                    Plant::kReadOtherBlock);
}

TEST(Warp, WarpSyncOrdersMemory) { expect_in_warp(kMissingBarrier, Plant::kNoWarpSync); }
TEST(Warp, LaneThatExitsIsMissed) {
  expect_in_warp({{FaultKind::kMissedCollective, "a shuffle"}}, Plant::kMissedShuffle);
}
TEST(Warp, LanesMeetAtOneInstruction) {
  expect_in_warp({{FaultKind::kMissedCollective, "a vote"}}, Plant::kOtherCollective);
}
TEST(Warp, VotesSeeEveryLane) {
  in_every_order([] { try_warp_reduce(Plant::kNone, -1.0f); });
}

TEST(Atomic, AdditionsOfBlocksAreNoRace) {
  in_every_order([] {
    const DeviceArray<int> count(std::vector<int>{0}), tickets(std::size_t{192});
    const DeviceArray<float> sum(std::vector<float>{0.5f});
    count_atomically(3, count.data(), sum.data(), tickets.data());
    std::vector<int> expected(192);
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(count.values()[0], 192);
    EXPECT_EQ(sum.values()[0], 192.5f);
    EXPECT_EQ(tickets.values(), expected);
  });
}

}  // namespace
}  // namespace cpbench::vgpu
