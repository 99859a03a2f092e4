// In which order a device sends what belongs to one exchange.
#include <gtest/gtest.h>

#include <vector>

#include "backend/cuda/cuda_backend.hpp"
#include "transport/cuda/ipc_transport.hpp"
#include "vgpu/transport/device_box.hpp"

namespace cpbench {
namespace {

constexpr int kSender = 1, kRanks = 3;

TEST(Turns, TheNextRankComesFirstAndTheSenderItselfLast) {
  // Each of them is ready only when those before it have what they were sent: in any other order nobody would go on.
  const Communicator world = Communicator::world();
  const int rank = world.rank();
  const CudaBackend backend({});
  DeviceBox source, target;
  source.fill(3);
  IpcTransport transport(world, backend.cuda_queues());
  using enum Message::Direction;
  const auto receive = transport.prepare({kReceive, kSender, 0, Link::kInner, Stream::kInner, {target.view()}});
  std::vector<Transport::MessageId> sends;
  for (int peer = 0; rank == kSender && peer < kRanks; ++peer) {
    sends.push_back(transport.prepare({kSend, peer, 0, Link::kInner, Stream::kOuter, {source.view()}}));
  }
  transport.connect();
  transport.queue(sends, Stream::kOuter);
  for (const int next : {2, 0, kSender}) {
    if (rank == next) {
      transport.queue(std::span(&receive, 1), Stream::kInner);
      check(cudaStreamSynchronize(backend.cuda_queues().stream(Stream::kInner)), "cudaStreamSynchronize");
      EXPECT_EQ(target.values().front(), 3.0f);
    }
    world.barrier();
  }
  check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
}

}  // namespace
}  // namespace cpbench
