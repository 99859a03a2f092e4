#include "run/executor.hpp"

#include <algorithm>
#include <stdexcept>

#include "run/computed_operation.hpp"
#include "support/clock.hpp"
#include "transport/backoff.hpp"

namespace cpbench {
namespace {

const Interpretation kFaithful;

bool is_exchange(const Op& op) { return std::holds_alternative<Exchange>(op.action); }

TensorView cut(const TensorView& tensor, const Region& region) {
  return tensor.box(region.row_begin, region.row_count, region.head_begin, region.head_count);
}

}  // namespace

Executor::Executor(const BufferSet& buffers, const Program& program, Backend& backend, Transport& transport)
    : Executor(buffers, program, backend, transport, kFaithful) {}

Executor::Executor(const BufferSet& buffers, const Program& program, Backend& backend, Transport& transport,
                   const Interpretation& interpretation)
    : program_(program),
      memory_(buffers.memory_of(program)),
      backend_(backend),
      transport_(transport),
      interpretation_(interpretation),
      poll_([this] {
        ++polls_;
        progress();
      }),
      parts_of_(program.ops.size()),
      marks_(program.ops.size()),
      states_(program.ops.size()) {
  finished_.reserve(program.ops.size());
  for (std::size_t i = 0; i < program.ops.size(); ++i) prepare(static_cast<OpId>(i));
}

void Executor::prepare(OpId id) {
  const auto index = static_cast<std::size_t>(id);
  queues_[static_cast<std::size_t>(op(id).stream)].ops.push_back(id);
  const auto* exchange = std::get_if<Exchange>(&op(id).action);
  const auto end = [&] { return static_cast<std::uint32_t>(exchange ? messages_.size() : computations_.size()); };
  const std::uint32_t begin = end();
  if (exchange != nullptr) {
    add_messages(*exchange, op(id).stream, program_.receives(*exchange), Message::Direction::kReceive,
                 interpretation_.receiving_memory(id, memory_));
    add_messages(*exchange, op(id).stream, program_.sends(*exchange), Message::Direction::kSend, memory_);
  } else {
    std::ranges::move(interpretation_.computations(id, memory_, backend_), std::back_inserter(computations_));
  }
  parts_of_[index] = {begin, end() - begin};
  const bool of_device = exchange != nullptr ? transport_.is_queued() : backend_.queues() != nullptr;
  if (of_device) marks_[index] = backend_.queues()->make_mark(to_string(op(id).label));
}

void Executor::add_messages(const Exchange& exchange, Stream stream, const TransferList& transfers,
                            Message::Direction direction, const ProgramMemory& memory) {
  for (const Transfer& transfer : transfers) {
    const BufferView view = memory.view(transfer.region.buffer);
    Message message{direction,     transfer.peer, exchange.ordinal,
                    transfer.link, stream,        {cut(view.first, transfer.region)}};
    if (view.second.data != nullptr) message.boxes.push_back(cut(view.second, transfer.region));
    messages_.push_back(transport_.prepare(message));
  }
}

std::span<const Transport::MessageId> Executor::messages_of(OpId id) const {
  const Slice slice = parts_of_[static_cast<std::size_t>(id)];
  return std::span(messages_).subspan(slice.begin, slice.count);
}

void Executor::run(Pass pass) {
  start(pass);
  Backoff backoff;
  for (std::size_t before = steps_; !advance(); before = steps_) {
    if (steps_ == before) {
      transport_.check_health();
      backoff.pause();
    } else {
      backoff.reset();
    }
  }
}

void Executor::make_ready(Pass pass) {
  if (remaining_ != 0) throw std::logic_error("an executor was started again before it had finished");
  if (!connected_) transport_.connect();
  connected_ = true;
  auto& graph = graphs_[static_cast<std::size_t>(pass)];
  if (graph != nullptr || !can_be_recorded(pass)) return;
  begin(pass);
  graph = backend_.queues()->record([this] {
    while (Queue* const queue = first_ready()) queue_on_device(*queue);
    if (std::ranges::any_of(queues_, [](const Queue& q) { return q.next < q.ops.size(); })) report_standstill();
  });
  remaining_ = 0;
}

void Executor::start(Pass pass) {
  make_ready(pass);
  begin(pass);
  launched_ = graphs_[static_cast<std::size_t>(pass)].get();
  if (launched_ != nullptr) launched_->launch();
}

void Executor::begin(Pass pass) {
  finished_.clear();
  remaining_ = 0;
  for (std::size_t i = 0; i < program_.ops.size(); ++i) {
    const bool runs = belongs_to(program_.ops[i], pass);
    states_[i] = runs ? State::kWaiting : State::kDone;
    remaining_ += runs ? 1 : 0;
  }
  for (Queue& queue : queues_) {
    queue.next = queue.retired = 0;
    skip_done(queue);
  }
}

bool Executor::advance() {
  if (launched_ != nullptr) return finish_graph();
  progress();
  if (remaining_ == 0) return true;
  if (Queue* const queue = first_ready()) {
    is_of_device(queue->ops[queue->next]) ? queue_on_device(*queue) : run_on_host(*queue);
    progress();
  } else if (std::ranges::none_of(queues_, [](const Queue& q) { return q.in_flight || q.retired < q.next; })) {
    report_standstill();
  }
  return remaining_ == 0;
}

bool Executor::is_ready(OpId id) const {
  const State enough = is_of_device(id) ? State::kQueued : State::kDone;
  return std::ranges::all_of(program_.after(op(id)), [&](OpId before) { return state(before) >= enough; });
}

void Executor::skip_done(Queue& queue) const {
  const auto skip = [&](std::size_t& place, State state_of) {
    while (place < queue.ops.size() && state(queue.ops[place]) >= state_of) ++place;
  };
  skip(queue.next, State::kQueued);
  skip(queue.retired, State::kDone);
}

void Executor::progress() {
  // An operation that completes may make one of another stream ready, so go round until nothing moves.
  for (bool moved = true; moved;) {
    moved = false;
    for (Queue& queue : queues_) {
      if (retire_queued(queue)) moved = true;
      if (progress_exchange(queue)) moved = true;
    }
  }
}

/// True if the exchange of the host at the head of the queue is done now.
bool Executor::progress_exchange(Queue& queue) {
  if (queue.next == queue.ops.size() || queue.retired < queue.next) return false;
  const OpId id = queue.ops[queue.next];
  if (!is_exchange(op(id)) || is_of_device(id)) return false;
  const auto messages = messages_of(id);
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
  finish(id, queue.begin_ns, now_ns());
  skip_done(queue);
  return true;
}

/// True if something that was queued is found to be done.
bool Executor::retire_queued(Queue& queue) {
  bool moved = false;
  while (queue.retired < queue.next && mark(queue.ops[queue.retired]).is_done()) {
    finish(queue.ops[queue.retired], 0, 0);
    skip_done(queue);
    moved = true;
  }
  return moved;
}

Executor::Queue* Executor::first_ready() {
  Queue* first = nullptr;
  for (Queue& queue : queues_) {
    if (queue.next == queue.ops.size()) continue;
    const OpId id = queue.ops[queue.next];
    const bool begins_by_itself = is_exchange(op(id)) && !is_of_device(id);
    if (begins_by_itself || !is_ready(id)) continue;
    if (first == nullptr || id < first->ops[first->next]) first = &queue;
  }
  return first;
}

void Executor::run_on_host(Queue& queue) {
  const OpId id = queue.ops[queue.next];
  const std::size_t polls_before = polls_;
  const std::int64_t begin_ns = now_ns();
  compute(id);
  const std::int64_t end_ns = now_ns();
  note_polls(op(id), polls_ - polls_before, end_ns - begin_ns);
  finish(id, begin_ns, end_ns);
  skip_done(queue);
}

/// Nothing of an operation that is no kernel's.
void Executor::note_polls(const Op& attend, std::size_t polls, std::int64_t taken_ns) {
  const bool is_attend = std::holds_alternative<Attend>(attend.action);
  if (!is_attend && !std::holds_alternative<AttendBackward>(attend.action)) return;
  Polling& polling = polling_[is_attend ? 0 : 1];
  polling.polls += polls;
  if (polls == 0) polling.longest_unpolled_ns = std::max(polling.longest_unpolled_ns, taken_ns);
}

std::int64_t Executor::longest_unpolled_ns() const {
  std::int64_t longest_ns = 0;
  for (const Polling& polling : polling_) {
    if (!messages_.empty() && polling.polls == 0) longest_ns = std::max(longest_ns, polling.longest_unpolled_ns);
  }
  return longest_ns;
}

void Executor::compute(OpId id) {
  const Computing computing(op(id));
  const Slice slice = parts_of_[static_cast<std::size_t>(id)];
  for (const Computation& part : std::span(computations_).subspan(slice.begin, slice.count)) part(poll_);
}

void Executor::queue_on_device(Queue& queue) {
  const OpId id = queue.ops[queue.next];
  const Stream stream = op(id).stream;
  for (const OpId before : program_.after(op(id))) {
    const bool implied = op(before).stream == stream || state(before) == State::kDone;
    if (!implied && interpretation_.waits_for(id, before)) mark(before).make_wait(stream);
  }
  mark(id).begin(stream);
  if (is_exchange(op(id))) {
    transport_.queue(messages_of(id), stream);
  } else {
    compute(id);
  }
  mark(id).end(stream);
  state(id) = State::kQueued;
  ++steps_;
  skip_done(queue);
}

void Executor::finish(OpId id, std::int64_t begin_ns, std::int64_t end_ns) {
  finished_.push_back({id, begin_ns, end_ns});
  state(id) = State::kDone;
  --remaining_;
  ++steps_;
}

std::vector<Span> Executor::spans() const {
  std::vector<Span> spans = finished_;
  for (Span& span : spans) {
    if (!is_of_device(span.op)) continue;
    const DeviceMark::Interval interval = mark(span.op).interval();
    span = {span.op, interval.begin_ns, interval.end_ns};
  }
  std::ranges::stable_sort(spans, {}, &Span::end_ns);
  return spans;
}

/// Whether the device does all of the pass, and there is anything to do.
bool Executor::can_be_recorded(Pass pass) const {
  bool any = false;
  for (std::size_t i = 0; i < program_.ops.size(); ++i) {
    if (!belongs_to(program_.ops[i], pass)) continue;
    if (marks_[i] == nullptr) return false;
    any = true;
  }
  return any;
}

bool Executor::finish_graph() {
  if (!launched_->is_done()) return false;
  launched_ = nullptr;
  for (OpId id = 0; id < static_cast<OpId>(program_.ops.size()); ++id) {
    if (state(id) != State::kDone) finish(id, 0, 0);
  }
  return true;
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
