#include "schedule/joint_progress.hpp"

#include <algorithm>

namespace cpbench {
namespace {

constexpr std::uint8_t kNoStream = kStreams;  // of operations that do not run

}  // namespace

JointProgress::JointProgress(const Schedule& schedule, Pass pass)
    : schedule_(schedule), ranks_(schedule.programs.size()) {
  for (int number = 0; number < count(); ++number) {
    Rank& rank = ranks_[static_cast<std::size_t>(number)];
    rank.stream_of.reserve(program(number).ops.size());
    for (const Op& op : program(number).ops) {
      rank.stream_of.push_back(belongs_to(op, pass) ? static_cast<std::uint8_t>(op.stream) : kNoStream);
    }
    for (std::uint8_t index = 0; index < kStreams; ++index) {
      StreamProgress& stream = rank.streams[index];
      stream.rank = number;
      stream.index = index;
      stream.head = next_of(stream, 0);
    }
  }
}

OpId JointProgress::next_of(const StreamProgress& stream, OpId from) const {
  const std::vector<std::uint8_t>& stream_of = ranks_[static_cast<std::size_t>(stream.rank)].stream_of;
  return static_cast<OpId>(std::find(stream_of.begin() + from, stream_of.end(), stream.index) - stream_of.begin());
}

bool JointProgress::is_ready(const StreamProgress& stream) const {
  if (is_at_end(stream) || stream.running != nullptr) return false;
  const Rank& rank = ranks_[static_cast<std::size_t>(stream.rank)];
  return std::ranges::all_of(program(stream.rank).after(head_of(stream)), [&](OpId before) {
    const std::uint8_t of_before = rank.stream_of[static_cast<std::size_t>(before)];
    return of_before == kNoStream || before < rank.streams[of_before].head;
  });
}

void JointProgress::begin(StreamProgress& here, const Exchange& exchange) {
  here.running = &exchange;
  here.sends.assign(program(here.rank).sends(exchange));
  here.receives.assign(program(here.rank).receives(exchange));
  here.pending = std::size_t{exchange.sends.count} + exchange.receives.count;
  if (here.pending == 0) return all_met(here);
  here.sends.for_each([&](const Transfer& send, std::size_t number, std::size_t index) {
    StreamProgress* const there = running(send.peer, exchange.ordinal);
    const auto receive = there != nullptr ? there->receives.find(here.rank, number) : std::nullopt;
    if (receive) join(here, index, *there, *receive);
  });
  here.receives.for_each([&](const Transfer& receive, std::size_t number, std::size_t index) {
    if (receive.peer == here.rank) return;  // has met as a send
    StreamProgress* const there = running(receive.peer, exchange.ordinal);
    const auto send = there != nullptr ? there->sends.find(here.rank, number) : std::nullopt;
    if (send) join(*there, *send, here, index);
  });
}

StreamProgress* JointProgress::running(int rank, std::int32_t ordinal) {
  for (StreamProgress& s : streams(rank)) {
    if (s.running != nullptr && s.running->ordinal == ordinal) return &s;
  }
  return nullptr;
}

void JointProgress::join(StreamProgress& sender, std::size_t send, StreamProgress& receiver, std::size_t receive) {
  meet(sender, send, receiver, receive);
  for (StreamProgress* side : {&sender, &receiver}) {
    if (--side->pending == 0) all_met(*side);
  }
}

void JointProgress::pass(StreamProgress& stream) {
  stream.running = nullptr;
  stream.head = next_of(stream, stream.head + 1);
}

}  // namespace cpbench
