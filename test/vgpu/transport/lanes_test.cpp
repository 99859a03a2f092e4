// What goes side by side of that which one exchange sends, and what one after the other.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "backend/cuda/cuda_backend.hpp"
#include "transport/cuda/box_copy.hpp"
#include "transport/cuda/ipc_transport.hpp"
#include "vgpu/forget.hpp"
#include "vgpu/support/orders.hpp"
#include "vgpu/transport/device_box.hpp"

namespace cpbench {
namespace {

using enum Message::Direction;
using Ids = std::vector<Transport::MessageId>;

constexpr int kSender = 1, kRanks = 5;
static_assert(kRanks > IpcTransport::kLanes + 1, "two ranks share a lane");

/// The sender sends to all, itself too, and each of them is ready only when those before it have what they were sent.
void become_ready(const std::array<int, kRanks>& order, bool as_graph) {
  const Communicator world = Communicator::world();
  const int rank = world.rank();
  CudaBackend backend({.graphs = as_graph});
  DeviceBox source, target;
  source.fill(3);
  IpcTransport transport(world, backend.cuda_queues());
  const auto receive = transport.prepare({kReceive, kSender, 0, Link::kInner, Stream::kInner, {target.view()}});
  Ids sends;
  for (int peer = 0; rank == kSender && peer < kRanks; ++peer) {
    sends.push_back(transport.prepare({kSend, peer, 0, Link::kInner, Stream::kOuter, {source.view()}}));
  }
  transport.connect();
  const auto issue = [&] { transport.queue(sends, Stream::kOuter); };
  const auto graph = as_graph ? backend.queues()->record(issue) : nullptr;
  ASSERT_EQ(graph != nullptr, as_graph) << backend.queues()->graph_obstacle();
  graph != nullptr ? graph->launch() : issue();
  for (const int next : order) {
    if (rank == next) {
      transport.queue(std::span(&receive, 1), Stream::kInner);
      check(cudaStreamSynchronize(backend.cuda_queues().stream(Stream::kInner)), "cudaStreamSynchronize");
      EXPECT_EQ(target.values().front(), 3.0f);
    }
    world.barrier();
  }
  check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
}

// Where anything waited that must not, nobody would go on.

TEST(Lanes, OfOneLaneTheNextRankComesFirstAndTheSenderItselfLast) {
  for (const bool as_graph : {false, true}) become_ready({2, 3, 4, 0, kSender}, as_graph);
}

TEST(Lanes, NoneWaitsForAnother) {
  for (const bool as_graph : {false, true}) become_ready({4, 3, kSender, 2, 0}, as_graph);
}

/// Sends so many ranks a box, and receives one from as many, between work of the same stream that writes the box before
/// and after.
class Hop {
 public:
  Hop(int peers, bool graphs) : backend_({.graphs = graphs}), received_(static_cast<std::size_t>(peers)) {
    const int rank = world_.rank();
    for (int i = 1; i <= peers; ++i) {
      DeviceBox& box = received_[static_cast<std::size_t>(i - 1)];
      const int from = (rank + kRanks - i) % kRanks, to = (rank + i) % kRanks;
      messages_.push_back(transport_.prepare({kReceive, from, 0, Link::kInner, Stream::kInner, {box.view()}}));
      messages_.push_back(transport_.prepare({kSend, to, 0, Link::kInner, Stream::kInner, {sent_.view()}}));
    }
    transport_.connect();
  }
  void run(float value) {
    input_.count_from(value);
    if (graph_ == nullptr) graph_ = backend_.queues()->record([this] { issue(); });
    graph_ == nullptr ? issue() : graph_->launch();
    check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
    for (DeviceBox& box : received_) EXPECT_EQ(box.values(), input_.values());
  }
  bool has_graph() const { return graph_ != nullptr; }
  /// Of one stream for another.
  int waits() const { return waits_; }

 private:
  void issue() {
    const cudaStream_t stream = backend_.cuda_queues().stream(Stream::kInner);
    queue_copy(sent_.view(), input_.view(), stream);
    vgpu::forget_wait_after(-1);
    transport_.queue(messages_, Stream::kInner);
    waits_ = vgpu::waits_queued();
    queue_copy(sent_.view(), zeros_.view(), stream);
  }

  Communicator world_ = Communicator::world();
  CudaBackend backend_;
  DeviceBox input_, zeros_, sent_;
  std::vector<DeviceBox> received_;
  IpcTransport transport_{world_, backend_.cuda_queues()};
  std::unique_ptr<DeviceGraph> graph_;
  Ids messages_;
  int waits_ = 0;
};

TEST(Lanes, AHopToOneRankForksNowhere) {
  for (const bool as_graph : {false, true}) {
    Hop hop(1, as_graph);
    hop.run(1);
    EXPECT_EQ(hop.waits(), 0);
  }
}

TEST(Lanes, AnExchangeForksOnceForEachLaneBesideItsOwn) {
  for (const bool as_graph : {false, true}) {
    for (const int peers : {2, 3, kRanks - 1}) {
      vgpu::in_every_order(
          [&] {
            Hop hop(peers, as_graph);
            for (const float value : {1.0f, 100.0f, 200.0f}) hop.run(value);
            EXPECT_EQ(hop.has_graph(), as_graph);
            EXPECT_EQ(hop.waits(), 2 * (std::min(peers, int{IpcTransport::kLanes}) - 1)) << "to fork and to join";
          },
          2);
    }
  }
}

}  // namespace
}  // namespace cpbench
