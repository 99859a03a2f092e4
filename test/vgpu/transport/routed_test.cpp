// Exchanges of which ipc carries one part and NCCL the other.
#include "transport/routed_transport.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <utility>

#include "backend/cuda/cuda_backend.hpp"
#include "transport/cuda/box_copy.hpp"
#include "transport/cuda/ipc_transport.hpp"
#include "transport/cuda/nccl_transport.hpp"
#include "vgpu/forget.hpp"
#include "vgpu/support/orders.hpp"
#include "vgpu/transport/device_box.hpp"

namespace cpbench {
namespace {

using enum Message::Direction;
using Parts = std::vector<std::unique_ptr<Transport>>;
using Ids = std::vector<Transport::MessageId>;

constexpr std::uint8_t kIpc = 0, kNccl = 1;

Parts both(const Communicator& ranks, CudaBackend& backend) {
  Parts parts;
  parts.push_back(std::make_unique<IpcTransport>(ranks, backend.cuda_queues()));
  parts.push_back(std::make_unique<NcclTransport>(ranks, backend.cuda_queues()));
  return parts;
}

/// Queues it, at once or as a graph, and waits for it.
void run(CudaBackend& backend, bool as_graph, const std::function<void()>& issue) {
  if (as_graph) {
    const auto graph = backend.queues()->record(issue);
    ASSERT_NE(graph, nullptr) << backend.queues()->graph_obstacle();
    graph->launch();
    check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
  } else {
    issue();
    check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
  }
}

/// Ranks 0 and 1 are of one node, rank 2 is alone, and a box goes round. Rank 0 hands it on and takes it back within
/// one exchange: the part that takes it is done only when the other has long been.
void go_round(const std::array<int, 3>& way, bool as_graph) {
  const Communicator world = Communicator::world();
  CudaBackend backend({.graphs = as_graph});
  std::vector<std::uint8_t> part_of(3, kNccl);
  if (world.rank() < 2) part_of[static_cast<std::size_t>(1 - world.rank())] = kIpc;
  DeviceBox box, back;
  const bool is_first = world.rank() == 0;
  RoutedTransport transport(both(world, backend), part_of, backend.queues());
  const auto place = static_cast<std::size_t>(std::ranges::find(way, world.rank()) - way.begin());
  const int to = way.at((place + 1) % 3), from = way.at((place + 2) % 3);
  const auto receive =
      transport.prepare({kReceive, from, 0, Link::kInner, Stream::kInner, {is_first ? back.view() : box.view()}});
  const auto send = transport.prepare({kSend, to, 0, Link::kInner, Stream::kInner, {box.view()}});
  transport.connect();
  for (int round = 1; round <= 2; ++round) {
    if (is_first) box.count_from(static_cast<float>(100 * round));
    run(backend, as_graph, [&] {
      if (is_first) {
        transport.queue(Ids{receive, send}, Stream::kInner);
      } else {
        transport.queue(Ids{receive}, Stream::kInner);
        transport.queue(Ids{send}, Stream::kInner);
      }
    });
    if (!is_first) continue;
    EXPECT_EQ(back.values(), box.values()) << "round " << round;
  }
}

TEST(Routed, NeitherPartOfAnExchangeWaitsForTheOther) {
  for (const bool as_graph : {false, true}) {
    for (const std::array<int, 3>& way : {std::array{0, 2, 1}, std::array{0, 1, 2}}) {
      SCOPED_TRACE(testing::Message() << "by " << way[1] << (as_graph ? ", as a graph" : ""));
      vgpu::in_every_order([&] { go_round(way, as_graph); }, 3);
    }
  }
}

/// A transport whose peers are all the rank itself, so that the virtual GPU sees both ends of each message.
class ToSelf : public Transport {
 public:
  explicit ToSelf(std::unique_ptr<Transport> real) : real_(std::move(real)) {}
  MessageId prepare(const Message& message) override {
    Message to_self = message;
    to_self.peer = 0;
    return real_->prepare(to_self);
  }
  void connect() override { real_->connect(); }
  bool is_queued() const override { return true; }
  void queue(std::span<const MessageId> messages, Stream stream) override { real_->queue(messages, stream); }
  void start(MessageId id) override { real_->start(id); }
  bool test(MessageId id) override { return real_->test(id); }

 private:
  std::unique_ptr<Transport> real_;
};

/// Sends itself one box by each part, between work of the same stream that writes the sent and reads the received ones.
class Alone {
 public:
  explicit Alone(bool graphs)
      : backend_({.graphs = graphs}), transport_(parts(backend_), {kIpc, kNccl}, backend_.queues()) {
    for (const int part : {kIpc, kNccl}) {
      messages_.push_back(
          transport_.prepare({kReceive, part, 0, Link::kInner, Stream::kInner, {at(received_, part).view()}}));
      messages_.push_back(transport_.prepare({kSend, part, 0, Link::kInner, Stream::kInner, {at(sent_, part).view()}}));
    }
    transport_.connect();
    input_.count_from(7);
  }
  /// What is queued, but for one wait.
  void issue(int forgotten) {
    const cudaStream_t stream = backend_.cuda_queues().stream(Stream::kInner);
    for (DeviceBox& box : sent_) queue_copy(box.view(), input_.view(), stream);
    vgpu::forget_wait_after(forgotten);
    transport_.queue(messages_, Stream::kInner);
    waits_ = vgpu::waits_queued();
    vgpu::forget_wait_after(-1);
    for (const int part : {kIpc, kNccl}) queue_copy(at(result_, part).view(), at(received_, part).view(), stream);
  }
  int waits() const { return waits_; }
  CudaBackend& backend() { return backend_; }
  void expect_right() {
    for (DeviceBox& box : result_) EXPECT_EQ(box.values(), input_.values());
  }

 private:
  static DeviceBox& at(std::array<DeviceBox, 2>& boxes, int part) { return boxes.at(static_cast<std::size_t>(part)); }
  static Parts parts(CudaBackend& backend) {
    Parts parts;
    for (auto& part : both(Communicator::world().split(Communicator::world().rank()), backend)) {
      parts.push_back(std::make_unique<ToSelf>(std::move(part)));
    }
    return parts;
  }

  CudaBackend backend_;
  DeviceBox input_;
  std::array<DeviceBox, 2> sent_, received_, result_;
  RoutedTransport transport_;
  Ids messages_;
  int waits_ = 0;
};

constexpr int kFork = 0, kJoin = 1, kWaits = 2;

TEST(Routed, EveryWaitOfAnExchangeIsNeeded) {
  for (const int wait : {kFork, kJoin}) {
    vgpu::expect_planted_fault({{vgpu::FaultKind::kMissingEvent, "no event orders them"}}, [&](bool planted) {
      Alone alone(/*graphs=*/false);
      alone.issue(planted ? wait : -1);
      EXPECT_EQ(alone.waits(), kWaits);
      check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
      alone.expect_right();
    });
  }
}

TEST(Routed, AGraphWithoutTheJoinIsNone) {
  for (const bool planted : {true, false}) {
    Alone alone(/*graphs=*/true);
    const auto graph = alone.backend().queues()->record([&] { alone.issue(planted ? kJoin : -1); });
    EXPECT_EQ(graph == nullptr, planted);
    EXPECT_EQ(alone.backend().queues()->graph_obstacle().find("was not joined") != std::string::npos, planted);
    if (graph == nullptr) continue;
    graph->launch();
    check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
    alone.expect_right();
  }
}

}  // namespace
}  // namespace cpbench
