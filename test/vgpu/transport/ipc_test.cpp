// Exchanges that a device does itself, as part of programs: one rank with itself, so that the virtual GPU sees both
// ends.
#include "transport/cuda/ipc_transport.hpp"

#include <gtest/gtest.h>

#include "backend/cuda/cuda_backend.hpp"
#include "run/hand_built.hpp"
#include "run/host_buffers.hpp"
#include "transport/cuda/box_copy.hpp"
#include "vgpu/support/orders.hpp"
#include "vgpu/transport/device_box.hpp"

namespace cpbench {
namespace {

/// Copies, sends the copy to itself, adds what came to what was sent.
Program round_trip() {
  ProgramWriter writer;
  const BufferId own = writer.buffer(), sent = writer.buffer(), received = writer.buffer(), sum = writer.buffer();
  const OpId copied = writer.copy(sent, own);
  const OpId exchange =
      writer.exchange(Stream::kInner, {{0, writer.whole(sent)}}, {{0, writer.whole(received)}}, {copied});
  const OpId begun = writer.copy(sum, sent, {copied});
  writer.sum(sum, received, {exchange, begun});
  return writer.take();
}
constexpr OpId kCopied = 0, kExchange = 1, kSum = 3;
constexpr BufferId kOwn = 0, kResult = 3;

/// Forgets one wait: what a dropped cudaStreamWaitEvent is.
class Forgetful : public Interpretation {
 public:
  Forgetful(OpId id, OpId before) : id_(id), before_(before) {}
  bool waits_for(OpId id, OpId before) const override { return id != id_ || before != before_; }

 private:
  OpId id_, before_;
};

/// What the sum's first element is after `runs` runs with the input 3.
float run_round_trip(const Interpretation& interpretation, bool graphs, int runs) {
  const Schedule schedule = schedule_of({round_trip()});
  const Program& program = schedule.programs[0];
  CudaBackend backend({.graphs = graphs});
  const BufferSet buffers(schedule.of.problem, program, backend);
  IpcTransport transport(Communicator::world(), backend.cuda_queues());
  Executor executor(buffers, program, backend, transport, interpretation);
  HostBuffers host(executor.memory(), backend);
  host.view(kOwn);
  std::ranges::fill(floats_of(host.host(), kOwn), 3.0f);
  host.store(kOwn);
  for (int run = 0; run < runs; ++run) executor.run(Pass::kForwardBackward);
  EXPECT_EQ(executor.spans().size(), program.ops.size());
  for (const Span& span : executor.spans()) EXPECT_LE(span.begin_ns, span.end_ns);
  return floats_of(host.fetch({kResult}), kResult)[0];
}

TEST(Ipc, ADeviceSendsToItself) {
  for (const bool graphs : {false, true}) {
    vgpu::in_every_order([&] { EXPECT_EQ(run_round_trip(Interpretation(), graphs, 3), 6.0f) << graphs; }, 3);
  }
}

TEST(Ipc, FlagsAloneOrderTheTwoEndsOfAMessage) {
  // Each end on a stream of its own, so that the virtual GPU sees what only flags order, as between processes.
  vgpu::in_every_order(
      [] {
        CudaBackend backend({});
        IpcTransport transport(Communicator::world(), backend.cuda_queues());
        DeviceBox input, zeros, source, target, earlier, result;
        using enum Message::Direction;
        const auto send = transport.prepare({kSend, 0, 0, Link::kInner, Stream::kInner, {source.view()}});
        const auto receive = transport.prepare({kReceive, 0, 0, Link::kInner, Stream::kInner, {target.view()}});
        transport.connect();
        const cudaStream_t sender = backend.cuda_queues().stream(Stream::kOuter);
        const cudaStream_t receiver = backend.cuda_queues().stream(Stream::kInner);
        for (int run = 1; run <= 3; ++run) {
          input.fill(static_cast<float>(run));
          queue_copy(earlier.view(), target.view(), receiver);
          transport.queue(std::span(&receive, 1), Stream::kInner);
          queue_copy(result.view(), target.view(), receiver);
          queue_copy(source.view(), input.view(), sender);
          transport.queue(std::span(&send, 1), Stream::kOuter);
          queue_copy(source.view(), zeros.view(), sender);
          check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
          EXPECT_EQ(result.values().front(), static_cast<float>(run));
          EXPECT_EQ(earlier.values().front(), static_cast<float>(run - 1));
        }
      },
      4);
}

TEST(Ipc, AWaitThatTheExecutorForgetsIsSeen) {
  // As a graph, for without one the host may see in time that an operation is done, and then nothing is missing.
  using vgpu::FaultKind;
  for (const auto& wait : std::vector<std::pair<OpId, OpId>>{{kExchange, kCopied}, {kSum, kExchange}}) {
    SCOPED_TRACE(testing::Message() << wait.first << " without " << wait.second);
    vgpu::expect_planted_fault({{FaultKind::kMissingEvent, "no event orders them"}}, [&](bool planted) {
      run_round_trip(planted ? Forgetful(wait.first, wait.second) : Forgetful(-1, -1), /*graphs=*/true, 1);
    });
  }
}

}  // namespace
}  // namespace cpbench
