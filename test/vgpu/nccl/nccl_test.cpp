// NCCL's point-to-point calls, over four processes.
#include <gtest/gtest.h>

#include "nccl.h"
#include "transport/communicator.hpp"
#include "vgpu/runtime/stream_kernels.hpp"
#include "vgpu/support/device_array.hpp"
#include "vgpu/support/orders.hpp"

namespace cpbench::vgpu {
namespace {

constexpr int kCount = 40;

struct World {
  World() : communicator(Communicator::world()) {
    ncclUniqueId id{};
    if (communicator.rank() == 0) ncclGetUniqueId(&id);
    MPI_Bcast(&id, sizeof id, MPI_BYTE, 0, MPI_COMM_WORLD);
    EXPECT_EQ(ncclCommInitRank(&nccl, communicator.size(), id, communicator.rank()), ncclSuccess);
    cudaStreamCreateWithFlags(&compute, cudaStreamNonBlocking);
    cudaStreamCreateWithFlags(&copies, cudaStreamNonBlocking);
    cudaEventCreateWithFlags(&event, cudaEventDisableTiming);
  }
  ~World() {
    ncclCommDestroy(nccl);
    cudaStreamDestroy(compute);
    cudaStreamDestroy(copies);
    cudaEventDestroy(event);
  }
  void connect(cudaStream_t from, cudaStream_t to) {
    cudaEventRecord(event, from);
    cudaStreamWaitEvent(to, event);
  }
  Communicator communicator;
  ncclComm_t nccl;
  cudaStream_t compute, copies;
  cudaEvent_t event;
};

/// Passes x to the next rank, or to itself, and adds one to what came.
void hop(World& world, int to, int from, bool with_event, const DeviceArray<int>& x, const DeviceArray<int>& y) {
  ncclGroupStart();
  ncclSend(x.data(), kCount, ncclInt32, to, world.nccl, world.copies);
  ncclRecv(y.data(), kCount, ncclInt32, from, world.nccl, world.copies);
  ncclGroupEnd();
  if (with_event) world.connect(world.copies, world.compute);
  add_one(y.data(), y.data(), kCount, world.compute);
  cudaStreamSynchronize(world.compute);
  cudaStreamSynchronize(world.copies);
}

TEST(Nccl, RingOfHopsAndKernels) {
  World world;
  const int rank = world.communicator.rank(), size = world.communicator.size(), before = (rank + size - 1) % size;
  in_every_order([&] {
    const DeviceArray<int> x(std::vector<int>(kCount, 100 * rank)), y(std::size_t{kCount});
    hop(world, (rank + 1) % size, before, true, x, y);
    EXPECT_EQ(y.values(), std::vector<int>(kCount, 100 * before + 1));
  });
}

TEST(Nccl, WhatArrivesNeedsAnEvent) {
  // Each rank with itself, for a fault ends what others might wait for.
  World world;
  const int rank = world.communicator.rank();
  expect_planted_fault(
      {{FaultKind::kMissingEvent, "no event orders them"}, {FaultKind::kUninitialised, "global memory"}},
      [&](bool planted) {
        const DeviceArray<int> x(std::vector<int>(kCount, rank)), y(std::size_t{kCount});
        hop(world, rank, rank, !planted, x, y);
        EXPECT_EQ(y.values(), std::vector<int>(kCount, rank + 1));
      });
}

TEST(Nccl, RanksDoNotMeetWhileAStreamIsCaptured) {
  World world;
  const int rank = world.communicator.rank(), size = world.communicator.size();
  const DeviceArray<int> x(std::vector<int>(kCount, 100 * rank)), y(std::size_t{kCount});
  const auto queue = [&](ncclComm_t communicator) {
    ncclGroupStart();
    ncclSend(x.data(), kCount, ncclInt32, (rank + 1) % size, communicator, world.copies);
    ncclRecv(y.data(), kCount, ncclInt32, (rank + size - 1) % size, communicator, world.copies);
    return ncclGroupEnd();
  };
  const auto capture = [&](ncclComm_t communicator, ncclResult_t expected) {
    cudaGraph_t graph = nullptr;
    cudaStreamBeginCapture(world.copies, cudaStreamCaptureModeThreadLocal);
    EXPECT_EQ(queue(communicator), expected);
    EXPECT_EQ(cudaStreamEndCapture(world.copies, &graph), cudaSuccess);
    cudaGraphDestroy(graph);
  };
  capture(world.nccl, ncclSystemError);
  EXPECT_EQ(queue(world.nccl), ncclSuccess);
  cudaStreamSynchronize(world.copies);
  capture(world.nccl, ncclSuccess);
  // Which is of that communicator alone.
  ncclComm_t part = nullptr;
  ASSERT_EQ(ncclCommSplit(world.nccl, 0, rank, &part, nullptr), ncclSuccess);
  capture(part, ncclSystemError);
  ncclCommDestroy(part);
}

TEST(Nccl, SeveralCommunicatorsInAGraphDoNotMixLaunches) {
  // Each rank with itself, for a fault ends what others might wait for.
  expect_planted_fault({{FaultKind::kMisuse, "several communicators in one graph"}}, [](bool planted) {
    setenv("NCCL_GRAPH_MIXING_SUPPORT", planted ? "1" : "0", 1);
    World world;
    const int rank = world.communicator.rank();
    ncclComm_t other = nullptr;
    ASSERT_EQ(ncclCommSplit(world.nccl, 0, rank, &other, nullptr), ncclSuccess);
    const DeviceArray<int> x(std::vector<int>(kCount, rank)), y(std::size_t{kCount});
    cudaGraph_t graph = nullptr;
    cudaStreamBeginCapture(world.copies, cudaStreamCaptureModeThreadLocal);
    const auto queue_all = [&] {
      for (const ncclComm_t communicator : {world.nccl, other}) {
        ncclGroupStart();
        ncclSend(x.data(), kCount, ncclInt32, rank, communicator, world.copies);
        ncclRecv(y.data(), kCount, ncclInt32, rank, communicator, world.copies);
        ncclGroupEnd();
      }
    };
    try {
      queue_all();
    } catch (...) {
      cudaStreamEndCapture(world.copies, &graph);
      ncclCommDestroy(other);
      throw;
    }
    EXPECT_EQ(cudaStreamEndCapture(world.copies, &graph), cudaSuccess);
    cudaGraphDestroy(graph);
    ncclCommDestroy(other);
  });
  unsetenv("NCCL_GRAPH_MIXING_SUPPORT");
}

TEST(Nccl, PartsOfACommunicator) {
  World world;
  const int rank = world.communicator.rank(), size = world.communicator.size();
  ncclComm_t part = nullptr;
  // Odd and even ranks, in reverse order.
  ASSERT_EQ(ncclCommSplit(world.nccl, rank % 2, -rank, &part, nullptr), ncclSuccess);
  int part_rank = -1, part_size = 0;
  ncclCommUserRank(part, &part_rank);
  ncclCommCount(part, &part_size);
  EXPECT_EQ(part_size, size / 2);
  EXPECT_EQ(part_rank, (size - 1 - rank) / 2);
  in_every_order(
      [&] {
        // All to all within the part; the device goes on while the host is in MPI.
        const auto count = static_cast<std::size_t>(part_size);
        const DeviceArray<int> mine(std::vector<int>(count, rank)), all(count);
        ncclGroupStart();
        for (int peer = 0; peer < part_size; ++peer) {
          ncclSend(mine.data() + peer, 1, ncclInt32, peer, part, world.copies);
          ncclRecv(all.data() + peer, 1, ncclInt32, peer, part, world.copies);
        }
        ncclGroupEnd();
        if (rank == 0) cudaStreamSynchronize(world.copies);
        MPI_Barrier(MPI_COMM_WORLD);
        cudaStreamSynchronize(world.copies);
        const std::vector<int> got = all.values();
        for (int peer = 0; peer < part_size; ++peer) {
          EXPECT_EQ(got[static_cast<std::size_t>(peer)], size - 2 * peer - (rank % 2 == 0 ? 2 : 1));
        }
      },
      3);
  ncclCommDestroy(part);
}

}  // namespace
}  // namespace cpbench::vgpu
