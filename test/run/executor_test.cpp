#include "run/executor.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <set>

#include "run/hand_built.hpp"

namespace cpbench {
namespace {

/// Every rank sums the buffers of all: two alternating buffers travel around the ring, as accumulators do. Buffer 0 is
/// the rank's own, 1 the sum.
Program ring_sum(int ranks, int rank) {
  ProgramWriter writer;
  const BufferId own = writer.buffer(), sum = writer.buffer(), even = writer.buffer(), odd = writer.buffer();
  OpId copied = writer.copy(sum, own);
  OpId received = writer.copy(even, own), added = copied;
  BufferId current = even, next = odd;
  for (int hop = 1; hop < ranks; ++hop) {
    const OpId exchange = writer.exchange(Stream::kInner, {{(rank + 1) % ranks, writer.whole(current)}},
                                          {{(rank + ranks - 1) % ranks, writer.whole(next)}}, {received, added});
    added = writer.sum(sum, next, {exchange});
    received = exchange;
    std::swap(current, next);
  }
  return writer.take();
}

Schedule ring_sum(int ranks) {
  std::vector<Program> programs;
  for (int rank = 0; rank < ranks; ++rank) programs.push_back(ring_sum(ranks, rank));
  return schedule_of(std::move(programs));
}

void fill(Executor& executor, BufferId id, float value) { std::ranges::fill(floats_of(executor.memory(), id), value); }
float first_of(Executor& executor, BufferId id) { return floats_of(executor.memory(), id)[0]; }

TEST(Executor, MovesDataAroundARingWhateverTheOrderOfDeliveries) {
  constexpr int kRanks = 5;
  const Schedule schedule = ring_sum(kRanks);
  FakeBackend backend;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    InProcessJob job(schedule, backend, {.max_delay = static_cast<int>(seed % 4) * 7, .seed = seed});
    for (int iteration = 1; iteration <= 2; ++iteration) {
      for (int r = 0; r < kRanks; ++r) fill(job.rank(r), 0, static_cast<float>(iteration * (r + 1)));
      job.run(Pass::kForwardBackward);
      for (int r = 0; r < kRanks; ++r) EXPECT_EQ(first_of(job.rank(r), 1), iteration * 15.0f) << "seed " << seed;
    }
  }
}

TEST(Executor, RecordsOneSpanForEachOperationInOrderOfCompletion) {
  const Schedule schedule = ring_sum(3);
  FakeBackend backend;
  InProcessJob job(schedule, backend, {.max_delay = 5, .seed = 1});
  job.run(Pass::kForwardBackward);
  job.run(Pass::kForwardBackward);
  for (int r = 0; r < 3; ++r) {
    std::set<OpId> ops;
    std::int64_t end_before = 0;
    for (const Span& span : job.rank(r).spans()) {
      ops.insert(span.op);
      EXPECT_LE(span.begin_ns, span.end_ns);
      EXPECT_LE(end_before, span.end_ns);
      end_before = span.end_ns;
    }
    EXPECT_EQ(ops.size(), schedule.programs[0].ops.size());
    EXPECT_EQ(job.rank(r).spans().size(), ops.size());
  }
}

TEST(Executor, CommunicationProgressesInsideCompute) {
  ProgramWriter writer;
  const BufferId own = writer.buffer(), received = writer.buffer(), passed_on = writer.buffer(), work = writer.buffer();
  const OpId first = writer.exchange(Stream::kInner, {{0, writer.whole(own)}}, {{0, writer.whole(received)}});
  writer.exchange(Stream::kOuter, {{0, writer.whole(received)}}, {{0, writer.whole(passed_on)}}, {first});
  writer.copy(work, own);
  const Schedule schedule = schedule_of({writer.take()});

  FakeBackend backend;
  InProcessJob job(schedule, backend, {.max_delay = 3, .seed = 1});
  backend.on_run = [&](const Op&, const std::function<void()>& poll) {
    // Both exchanges are done before this kernel is, the second one started by its polling.
    for (int i = 0; i < 20; ++i) poll();
    EXPECT_EQ(first_of(job.rank(0), passed_on), 7);
  };
  fill(job.rank(0), own, 7);
  job.run(Pass::kForwardBackward);
  EXPECT_EQ(backend.log.size(), 1u);
  EXPECT_EQ(job.rank(0).spans().back().op, 2);
}

TEST(Executor, WaitsForDependenciesOnly) {
  // The second compute operation needs nothing from the exchange, the third does.
  ProgramWriter writer;
  const BufferId a = writer.buffer(), b = writer.buffer(), c = writer.buffer(), d = writer.buffer();
  const OpId first = writer.copy(b, a);
  const OpId exchange = writer.exchange(Stream::kInner, {{0, writer.whole(b)}}, {{0, writer.whole(c)}}, {first});
  const OpId independent = writer.copy(d, a);
  const OpId dependent = writer.copy(d, c, {exchange});
  const Schedule schedule = schedule_of({writer.take()});

  FakeBackend backend;
  InProcessJob job(schedule, backend, {.max_delay = 1000, .seed = 5});  // the exchange takes long
  job.run(Pass::kForwardBackward);
  std::vector<OpId> order;
  for (const Span& span : job.rank(0).spans()) order.push_back(span.op);
  EXPECT_EQ(order, (std::vector<OpId>{first, independent, exchange, dependent}));
}

/// Queues of a device that logs what its streams wait for, and does nothing before it may.
class LoggingQueues : public DeviceQueues {
 public:
  std::unique_ptr<DeviceMark> make_mark(const std::string& label) override {
    return std::make_unique<Mark>(*this, label);
  }
  std::unique_ptr<DeviceBranches> make_branches(std::size_t) override { return nullptr; }
  std::unique_ptr<DeviceGraph> record(const std::function<void()>&) override { return nullptr; }

  bool may_finish = false;
  std::vector<std::pair<std::string, Stream>> queued, waits;

 private:
  struct Mark : DeviceMark {
    Mark(LoggingQueues& of, std::string name) : queues(of), label(std::move(name)) {}
    void begin(Stream stream) override { queues.queued.emplace_back(label, stream); }
    void end(Stream) override {}
    void make_wait(Stream stream) override { queues.waits.emplace_back(label, stream); }
    bool is_done() override { return queues.may_finish; }
    Interval interval() const override { return {0, 0}; }
    LoggingQueues& queues;
    std::string label;
  };
};
class DeviceBackend : public FakeBackend {
 public:
  DeviceQueues* queues() override { return &logging; }
  LoggingQueues logging;
};
class QueuedTransport : public Transport {
 public:
  MessageId prepare(const Message&) override { return 0; }
  bool is_queued() const override { return true; }
  void queue(std::span<const MessageId>, Stream) override {}
  void start(MessageId) override {}
  bool test(MessageId) override { return true; }
};

/// Operations and the streams that they are queued on, or that wait for them.
using QueueLog = std::vector<std::pair<std::string, Stream>>;

/// Runs the first rank's program on a device that finishes nothing before all is queued: `queued` and `waits` as they
/// are then.
void run_on_device(const Schedule& schedule, QueueLog& queued, QueueLog& waits) {
  DeviceBackend backend;
  QueuedTransport transport;
  const Program& program = schedule.programs[0];
  const BufferSet buffers(schedule.of.problem, program, backend);
  Executor executor(buffers, program, backend, transport);
  executor.start(Pass::kForwardBackward);
  while (backend.logging.queued.size() < program.ops.size()) ASSERT_FALSE(executor.advance());
  queued = backend.logging.queued;
  waits = backend.logging.waits;
  backend.logging.may_finish = true;
  while (!executor.advance()) {
  }
  EXPECT_EQ(executor.done_count(), program.ops.size());
}

TEST(Executor, StreamsOfADeviceWaitForDependenciesOnly) {
  // What a stream's own order implies needs no event, and what no dependency names must not have one.
  ProgramWriter writer;
  const BufferId a = writer.buffer(), b = writer.buffer(), c = writer.buffer(), d = writer.buffer();
  const OpId first = writer.copy(b, a);
  const OpId hop = writer.exchange(Stream::kInner, {{0, writer.whole(b)}}, {{0, writer.whole(c)}}, {first});
  const OpId independent = writer.copy(d, a, {first});
  const OpId back = writer.exchange(Stream::kInner, {{0, writer.whole(d)}}, {{0, writer.whole(b)}}, {hop, independent});
  writer.copy(d, c, {hop, independent});
  writer.copy(a, b, {back});
  const Schedule schedule = schedule_of({writer.take()});

  ASSERT_EQ(schedule.programs[0].ops.size(), 6u);

  QueueLog queued, waits;
  run_on_device(schedule, queued, waits);
  using enum Stream;
  EXPECT_EQ(queued, (QueueLog{{"op 0", kCompute},
                              {"op 1", kInner},
                              {"op 2", kCompute},
                              {"op 3", kInner},
                              {"op 4", kCompute},
                              {"op 5", kCompute}}));
  EXPECT_EQ(waits, (QueueLog{{"op 0", kInner}, {"op 2", kInner}, {"op 1", kCompute}, {"op 3", kCompute}}));
}

TEST(Executor, AStreamOfADeviceWaitsForAllOtherStreamsThatItDependsOn) {
  ProgramWriter writer;
  std::vector<OpId> arrivals;
  for (const Stream stream : {Stream::kInner, Stream::kOuter, Stream::kGradient}) {
    const BufferId sent = writer.buffer(), received = writer.buffer();
    arrivals.push_back(writer.exchange(stream, {{0, writer.whole(sent)}}, {{0, writer.whole(received)}}));
  }
  const BufferId to = writer.buffer(), from = writer.buffer();
  writer.copy(to, from, arrivals);
  const Schedule schedule = schedule_of({writer.take()});

  ASSERT_EQ(schedule.programs[0].ops.size(), 4u);

  QueueLog queued, waits;
  run_on_device(schedule, queued, waits);
  EXPECT_EQ(waits, (QueueLog{{"op 0", Stream::kCompute}, {"op 1", Stream::kCompute}, {"op 2", Stream::kCompute}}));
}

TEST(Executor, RunsTheForwardOrTheBackwardPartAlone) {
  ProgramWriter writer;
  const BufferId input = writer.buffer(), saved = writer.buffer(), result = writer.buffer();
  const OpId forward = writer.copy(saved, input);
  writer.begin_backward();
  const OpId exchange =
      writer.exchange(Stream::kInner, {{0, writer.whole(saved)}}, {{0, writer.whole(result)}}, {forward});
  const OpId backward = writer.sum(result, saved, {exchange});
  const Schedule schedule = schedule_of({writer.take()});

  FakeBackend backend;
  InProcessJob job(schedule, backend);
  fill(job.rank(0), input, 3);
  job.run(Pass::kForward);
  EXPECT_EQ(first_of(job.rank(0), saved), 3);
  EXPECT_EQ(first_of(job.rank(0), result), 0);
  for (int iteration = 0; iteration < 2; ++iteration) {
    job.run(Pass::kBackward);
    EXPECT_EQ(first_of(job.rank(0), result), 6);
    ASSERT_EQ(job.rank(0).spans().size(), 2u);
    EXPECT_EQ(job.rank(0).spans()[0].op, exchange);
    EXPECT_EQ(job.rank(0).spans()[1].op, backward);
  }
}

TEST(Executor, RunWaitsForMessagesThatAreSlow) {
  ProgramWriter writer;
  const BufferId own = writer.buffer(), received = writer.buffer(), result = writer.buffer();
  const OpId exchange = writer.exchange(Stream::kInner, {{0, writer.whole(own)}}, {{0, writer.whole(received)}});
  writer.copy(result, received, {exchange});
  const Schedule schedule = schedule_of({writer.take()});
  FakeBackend backend;
  InProcessJob job(schedule, backend, {.max_delay = 2000, .seed = 1});
  fill(job.rank(0), own, 4);
  job.rank(0).run(Pass::kForwardBackward);
  EXPECT_EQ(first_of(job.rank(0), result), 4);
}

TEST(Executor, NamesTheOperationsOfAProgramThatStandsStill) {
  ProgramWriter writer;
  const BufferId a = writer.buffer(), b = writer.buffer();
  writer.copy(b, a, {1});  // waits for the one behind it
  writer.copy(b, a);
  const Schedule schedule = schedule_of({writer.take()});
  FakeBackend backend;
  InProcessJob job(schedule, backend);
  try {
    job.run(Pass::kForwardBackward);
    ADD_FAILURE() << "not noticed";
  } catch (const std::logic_error& error) {
    EXPECT_NE(std::string_view(error.what()).find("'op 0'"), std::string_view::npos) << error.what();
  }
}

TEST(Executor, RunsAProgramWithoutOperations) {
  const Schedule schedule = schedule_of({Program{}});
  FakeBackend backend;
  InProcessJob job(schedule, backend);
  job.run(Pass::kForwardBackward);
  EXPECT_TRUE(job.rank(0).spans().empty());
}

TEST(Executor, PassesOnWhatABackendThrows) {
  ProgramWriter writer;
  const BufferId a = writer.buffer(), b = writer.buffer();
  writer.copy(b, a);
  const Schedule schedule = schedule_of({writer.take()});
  FakeBackend backend;
  backend.on_run = [](const Op&, const std::function<void()>&) { throw std::runtime_error("device lost"); };
  InProcessJob job(schedule, backend);
  EXPECT_THROW(job.rank(0).run(Pass::kForwardBackward), std::runtime_error);
}

TEST(BufferSet, IsZeroedAndSharedByVariantsOfAProgram) {
  const Schedule schedule = ring_sum(2);
  Program without_compute = schedule.programs[0];
  erase_if(without_compute.ops, [](const Op& op) { return !std::holds_alternative<Exchange>(op.action); });
  FakeBackend backend;
  const BufferSet buffers(schedule.of.problem, schedule.programs[0], backend);
  const ProgramMemory memory = buffers.memory_of(schedule.programs[0]);
  EXPECT_EQ(memory.buffers, buffers.memory_of(without_compute).buffers);
  for (const float element : floats_of(memory, 3)) EXPECT_EQ(element, 0);
}

TEST(BufferSet, RefusesAProgramWithOtherBuffers) {
  const Schedule schedule = ring_sum(2);
  Program other = schedule.programs[0];
  other.buffers[1].rows += 1;
  FakeBackend backend;
  const BufferSet buffers(schedule.of.problem, schedule.programs[0], backend);
  EXPECT_THROW(buffers.memory_of(other), std::logic_error);
}

TEST(BufferSet, AllocatesNothingForABufferWithoutRows) {
  Program program;
  program.buffers.push_back({Role::kKv, DType::kFp32, 1, 8, 8, 0});
  const Schedule schedule = schedule_of({program});
  FakeBackend backend;
  const BufferSet buffers(schedule.of.problem, schedule.programs[0], backend);
  EXPECT_EQ(buffers.memory_of(schedule.programs[0]).buffers[0], nullptr);
}

}  // namespace
}  // namespace cpbench
