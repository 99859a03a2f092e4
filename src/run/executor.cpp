#include "run/executor.hpp"

#include <algorithm>
#include <stdexcept>

#include "run/clock.hpp"
#include "transport/backoff.hpp"

namespace cpbench {
namespace {

const Interpretation faithful;

bool is_exchange(const Op& op) { return std::holds_alternative<Exchange>(op.action); }

bool belongs_to(const Op& op, Part part) { return part == Part::kAll || op.backward == (part == Part::kBackward); }

TensorView cut(const TensorView& tensor, const Region& region) {
  return tensor.box(region.row_begin, region.row_count, region.head_begin, region.head_count);
}

}  // namespace

Executor::Executor(const BufferSet& buffers, const Program& program, Backend& backend, Transport& transport)
    : Executor(buffers, program, backend, transport, faithful) {}

Executor::Executor(const BufferSet& buffers, const Program& program, Backend& backend, Transport& transport,
                   const Interpretation& interpretation)
    : program_(program),
      memory_(buffers.memory_of(program)),
      backend_(backend),
      transport_(transport),
      interpretation_(interpretation),
      poll_([this] { progress_exchanges(); }),
      messages_of_(program.ops.size()),
      done_(program.ops.size()) {
  spans_.reserve(program.ops.size());
  for (std::size_t i = 0; i < program.ops.size(); ++i) {
    const auto id = static_cast<OpId>(i);
    queues_[static_cast<std::size_t>(op(id).stream)].ops.push_back(id);
    if (const auto* exchange = std::get_if<Exchange>(&op(id).action)) prepare_messages(id, *exchange);
  }
}

void Executor::prepare_messages(OpId id, const Exchange& exchange) {
  const auto begin = static_cast<std::uint32_t>(messages_.size());
  add_messages(exchange, program_.receives(exchange), Message::Direction::kReceive,
               interpretation_.receiving_memory(id, memory_));
  add_messages(exchange, program_.sends(exchange), Message::Direction::kSend, memory_);
  messages_of_[static_cast<std::size_t>(id)] = {begin, static_cast<std::uint32_t>(messages_.size()) - begin};
}

void Executor::add_messages(const Exchange& exchange, std::span<const Transfer> transfers, Message::Direction direction,
                            const ProgramMemory& memory) {
  for (const Transfer& transfer : transfers) {
    const BufferView view = memory.view(transfer.region.buffer);
    Message message{direction, transfer.peer, exchange.ordinal, exchange.link, {cut(view.first, transfer.region)}};
    if (view.second.data != nullptr) message.boxes.push_back(cut(view.second, transfer.region));
    messages_.push_back(transport_.prepare(message));
  }
}

void Executor::run(Part part) {
  start(part);
  Backoff backoff;
  for (std::size_t before = 0; !advance(); before = spans_.size()) {
    if (spans_.size() == before) {
      backoff.pause();
    } else {
      backoff.reset();
    }
  }
}

void Executor::start(Part part) {
  if (remaining_ != 0) throw std::logic_error("an executor was started again before it had finished");
  spans_.clear();
  for (std::size_t i = 0; i < program_.ops.size(); ++i) {
    const bool runs = belongs_to(program_.ops[i], part);
    done_[i] = runs ? 0 : 1;
    remaining_ += runs ? 1 : 0;
  }
  for (Queue& queue : queues_) {
    queue.next = 0;
    skip_done(queue);
  }
}

bool Executor::advance() {
  progress_exchanges();
  if (remaining_ == 0) return true;
  if (run_next_compute()) {
    progress_exchanges();
  } else if (std::ranges::none_of(queues_, &Queue::in_flight)) {
    report_standstill();
  }
  return remaining_ == 0;
}

bool Executor::is_ready(OpId id) const {
  return std::ranges::all_of(program_.after(op(id)), [this](OpId before) { return is_done(before); });
}

void Executor::skip_done(Queue& queue) const {
  while (queue.next < queue.ops.size() && is_done(queue.ops[queue.next])) ++queue.next;
}

void Executor::progress_exchanges() {
  // An exchange that completes may make one of another stream ready, so go round until nothing moves.
  for (bool moved = true; moved;) {
    moved = false;
    for (Queue& queue : queues_) moved |= progress_exchange(queue);
  }
}

/// True if the exchange at the head of the queue is done now.
bool Executor::progress_exchange(Queue& queue) {
  if (queue.next == queue.ops.size()) return false;
  const OpId id = queue.ops[queue.next];
  if (!is_exchange(op(id))) return false;
  const Slice slice = messages_of_[static_cast<std::size_t>(id)];
  const auto messages = std::span(messages_).subspan(slice.begin, slice.count);
  if (!queue.in_flight) {
    if (!is_ready(id)) return false;
    queue.in_flight = true;
    queue.messages_done = 0;
    queue.begin_ns = now_ns();
    for (const Transport::MessageId message : messages) transport_.start(message);
  }
  // Testing the first unfinished message is enough: it makes all of them progress.
  while (queue.messages_done < messages.size() && transport_.test(messages[queue.messages_done])) {
    ++queue.messages_done;
  }
  if (queue.messages_done < messages.size()) return false;
  queue.in_flight = false;
  finish(queue, queue.begin_ns);
  return true;
}

/// Runs the first ready compute operation of the program, if there is one.
bool Executor::run_next_compute() {
  Queue* first = nullptr;
  for (Queue& queue : queues_) {
    if (queue.next == queue.ops.size()) continue;
    const OpId id = queue.ops[queue.next];
    if (is_exchange(op(id)) || !is_ready(id)) continue;
    if (first == nullptr || id < first->ops[first->next]) first = &queue;
  }
  if (first == nullptr) return false;
  const std::int64_t begin_ns = now_ns();
  interpretation_.compute(first->ops[first->next], memory_, backend_, poll_);
  finish(*first, begin_ns);
  return true;
}

void Executor::finish(Queue& queue, std::int64_t begin_ns) {
  const OpId id = queue.ops[queue.next];
  spans_.push_back({id, begin_ns, now_ns()});
  done_[static_cast<std::size_t>(id)] = 1;
  --remaining_;
  skip_done(queue);
}

void Executor::report_standstill() const {
  std::string waiting;
  for (const Queue& queue : queues_) {
    if (queue.next == queue.ops.size()) continue;
    const OpId id = queue.ops[queue.next];
    waiting += " '" + to_string(op(id).label) + "' (op " + std::to_string(id) + ")";
  }
  throw std::logic_error("the program stands still, its dependencies cannot be met:" + waiting);
}

}  // namespace cpbench
