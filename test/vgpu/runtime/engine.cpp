#include "runtime/engine.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <set>
#include <thread>

#include "emulator/fault_message.hpp"
#include "emulator/scheduler.hpp"
#include "runtime/capture.hpp"

namespace cpbench::vgpu {
namespace {

/// How long nothing may happen before a wait is taken for a deadlock: other processes may be slow.
std::chrono::seconds patience() {
  const char* const seconds = std::getenv("CPBENCH_VGPU_PATIENCE");
  return std::chrono::seconds(seconds == nullptr ? 60 : std::atoi(seconds));
}

cudaStream_t handle_of(std::size_t id) { return reinterpret_cast<cudaStream_t>(id); }

}  // namespace

void join(std::vector<Clock>& clock, const std::vector<Clock>& other) {
  if (clock.size() < other.size()) clock.resize(other.size());
  for (std::size_t i = 0; i < other.size(); ++i) clock[i] = std::max(clock[i], other[i]);
}

Engine& engine() {
  static Engine& instance = *new Engine;  // outlives every static object that has a stream
  return instance;
}

Engine::Engine() { streams_.push_back(std::make_unique<Stream>()); }

Stream& Engine::find(cudaStream_t handle) {
  const auto id = reinterpret_cast<std::size_t>(handle);
  if (id >= streams_.size() || streams_[id] == nullptr) fail(FaultKind::kMisuse, "a stream that does not exist");
  return *streams_[id];
}

cudaStream_t Engine::create_stream(bool blocking, int priority) {
  auto stream = std::make_unique<Stream>();
  stream->id = static_cast<std::uint32_t>(streams_.size());
  stream->blocking = blocking;
  stream->priority = priority;
  streams_.push_back(std::move(stream));
  return handle_of(streams_.size() - 1);
}

void Engine::destroy_stream(cudaStream_t handle) {
  // CUDA lets the work of a destroyed stream finish by itself.
  finish(find(handle));
  streams_[reinterpret_cast<std::size_t>(handle)] = nullptr;
}

OperationPtr Engine::enqueue(Stream& stream, std::shared_ptr<Action> action, std::vector<OperationPtr> after) {
  if (stream.capture != nullptr) {
    stream.capture->add(stream, std::move(action));
    return nullptr;
  }
  const bool is_default = stream.id == 0;
  for (const auto& other : streams_) {
    const bool in_step = other != nullptr && stream.blocking && other->blocking && (is_default != (other->id == 0));
    if (in_step && other->last != nullptr) after.push_back(other->last);
  }
  auto operation = std::make_shared<QueuedOperation>();
  operation->action = std::move(action);
  operation->stream = &stream;
  operation->after = std::move(after);
  operation->clock = host_clock_;
  operation->sequence = ++stream.queued;
  stream.queue.push_back(operation);
  stream.last = operation;
  if (scheduler().settings().order == Order::kEager) {
    while (step(heads())) {
    }
  }
  return operation;
}

bool Engine::can_begin(const QueuedOperation& operation) const {
  const auto is_done = [](const OperationPtr& other) { return other->state == QueuedOperation::State::kDone; };
  return operation.state == QueuedOperation::State::kWaiting && operation.stream->queue.front().get() == &operation &&
         std::all_of(operation.after.begin(), operation.after.end(), is_done) && operation.action->ready();
}

void Engine::begin(QueuedOperation& operation) {
  join(operation.clock, operation.stream->clock);
  for (const OperationPtr& other : operation.after) join(operation.clock, other->clock);
  operation.after.clear();
  if (operation.clock.size() < streams_.size()) operation.clock.resize(streams_.size());
  operation.state = QueuedOperation::State::kRunning;
  operation.action->begin({operation.stream->id, operation.sequence, operation.clock});
  operation.clock[operation.stream->id] = operation.sequence;
}

void Engine::complete(QueuedOperation& operation) {
  operation.state = QueuedOperation::State::kDone;
  join(operation.clock, operation.action->learned());
  operation.stream->clock = operation.clock;
  operation.action = nullptr;
  operation.stream->queue.pop_front();
}

bool Engine::step(const std::vector<OperationPtr>& candidates) {
  std::vector<OperationPtr> possible;
  for (const OperationPtr& candidate : candidates) {
    if (candidate->state == QueuedOperation::State::kRunning ? candidate->action->done() : can_begin(*candidate)) {
      possible.push_back(candidate);
    }
  }
  if (possible.empty()) return false;
  const bool any = scheduler().settings().order == Order::kRandom;
  QueuedOperation& chosen = *possible[any ? scheduler().random()() % possible.size() : 0];
  try {
    if (chosen.state == QueuedOperation::State::kWaiting) begin(chosen);
  } catch (const Fault&) {
    abandon();
    throw;
  }
  if (chosen.action->done()) complete(chosen);
  return true;
}

void Engine::abandon() {
  for (const auto& stream : streams_) {
    if (stream == nullptr) continue;
    std::deque<OperationPtr> kept;
    for (const OperationPtr& operation : stream->queue) {
      if (operation->action->involves_others()) {
        kept.push_back(operation);
        continue;
      }
      operation->state = QueuedOperation::State::kDone;
      operation->action = nullptr;
      operation->after.clear();
    }
    stream->queue = std::move(kept);
    // What comes next finds it all done.
    std::vector<Clock> everything(stream->id + 1);
    everything[stream->id] = stream->queued;
    join(host_clock_, everything);
  }
}

std::vector<OperationPtr> Engine::heads() const {
  std::vector<OperationPtr> found;
  for (const auto& stream : streams_) {
    if (stream != nullptr && !stream->queue.empty()) found.push_back(stream->queue.front());
  }
  return found;
}

/// The heads of queues that must be done before an operation can be, and what is under way.
std::vector<OperationPtr> Engine::needed_for(const OperationPtr& operation) const {
  std::vector<OperationPtr> found, open = {operation};
  std::set<const QueuedOperation*> seen;
  while (!open.empty()) {
    const OperationPtr one = open.back();
    open.pop_back();
    if (one->state == QueuedOperation::State::kDone || !seen.insert(one.get()).second) continue;
    const OperationPtr& head = one->stream->queue.front();
    if (head != one) {
      open.push_back(head);
      for (const OperationPtr& before : one->stream->queue) {
        if (before == one) break;
        open.push_back(before);
      }
    } else {
      found.push_back(one);
    }
    open.insert(open.end(), one->after.begin(), one->after.end());
  }
  for (const OperationPtr& head : heads()) {
    if (head->state == QueuedOperation::State::kRunning) found.push_back(head);
  }
  return found;
}

void Engine::run_until_done(const OperationPtr& operation) {
  using Time = std::chrono::steady_clock;
  constexpr std::chrono::milliseconds kLongestLook(100);  // what is longer is a process that was stopped
  Time::time_point last_look = Time::now();
  Time::duration idle{};
  while (operation->state != QueuedOperation::State::kDone) {
    const bool lazy = scheduler().settings().order == Order::kLate;
    // What others wait for, another process perhaps, must go on where the wait itself cannot.
    if ((lazy && step(needed_for(operation))) || step(heads())) {
      idle = {};
      last_look = Time::now();
      continue;
    }
    const Time::time_point now = Time::now();
    idle += std::min<Time::duration>(now - last_look, kLongestLook);
    last_look = now;
    if (idle > patience()) {
      const std::string heads_of_queues = describe();
      abandon();
      fail(FaultKind::kDeadlock, "nothing queued can go on\n{}", heads_of_queues);
    }
    std::this_thread::yield();
  }
}

void Engine::finish(const OperationPtr& operation) {
  if (operation == nullptr) return;
  run_until_done(operation);
  join(host_clock_, operation->clock);
}

void Engine::finish(Stream& stream) {
  if (stream.capture != nullptr) fail(FaultKind::kMisuse, "the host waits for a stream that is being captured");
  finish(OperationPtr(stream.last));
}

void Engine::finish_all() {
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    if (streams_[i] != nullptr) finish(*streams_[i]);
  }
}

void Engine::progress() {
  switch (scheduler().settings().order) {
    case Order::kEager:
      while (step(heads())) {
      }
      break;
    case Order::kLate:
      step(heads());
      break;
    case Order::kRandom:
      if (scheduler().random()() % 4 != 0) step(heads());
      break;
  }
}

void Engine::refuse_in_capture(const char* call) const {
  const auto captures = [](const auto& stream) { return stream != nullptr && stream->capture != nullptr; };
  if (std::any_of(streams_.begin(), streams_.end(), captures)) {
    fail(FaultKind::kMisuse, "{} while a stream is being captured", call);
  }
}

std::string Engine::describe() const {
  std::string text;
  for (const OperationPtr& head : heads()) {
    text +=
        fmt::format("  stream {}: operation {} of {}, {}{}\n", head->stream->id, head->sequence, head->stream->queued,
                    head->action->describe(), head->state == QueuedOperation::State::kRunning ? " (has begun)" : "");
  }
  return text;
}

}  // namespace cpbench::vgpu
