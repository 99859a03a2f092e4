#include "schedule/verify/matching.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <vector>

#include "schedule/joint_progress.hpp"

namespace cpbench::verification {
namespace {

class Matching : JointProgress {
 public:
  Matching(const Schedule& schedule, Observer& observer, Faults& faults)
      : JointProgress(schedule, Pass::kForwardBackward),
        observer_(observer),
        faults_(faults),
        is_queued_(schedule.programs.size()) {
    for (int rank = 0; rank < count(); ++rank) {
      check_ordinals(rank);
      enqueue(rank);
    }
  }

  void run() {
    while (!queue_.empty() && !faults_.full()) {
      const int rank = queue_.front();
      queue_.pop_front();
      is_queued_[static_cast<std::size_t>(rank)] = false;
      advance(rank);
    }
    report_unmatched();
    if (faults_.none()) report_stuck();
  }

 private:
  void check_ordinals(int rank) {
    std::vector<std::int32_t> ordinals;
    for (const Op& o : program(rank).ops) {
      if (const auto* exchange = std::get_if<Exchange>(&o.action)) ordinals.push_back(exchange->ordinal);
    }
    std::ranges::sort(ordinals);
    if (const auto twice = std::ranges::adjacent_find(ordinals); twice != ordinals.end()) {
      faults_.add("rank {} has two exchanges of ordinal {}", rank, *twice);
    }
  }

  void enqueue(int rank) {
    if (is_queued_[static_cast<std::size_t>(rank)]) return;
    is_queued_[static_cast<std::size_t>(rank)] = true;
    queue_.push_back(rank);
  }

  /// Goes as far as the rank can get.
  void advance(int rank) {
    for (bool moved = true; moved;) {
      moved = false;
      for (StreamProgress& stream : streams(rank)) {
        while (step(stream)) moved = true;
      }
    }
  }

  /// Begins the stream's next operation if it is ready; whether the stream got past it.
  bool step(StreamProgress& stream) {
    if (stream.running == nullptr) {
      if (!is_ready(stream)) return false;
      if (const auto* exchange = std::get_if<Exchange>(&head_of(stream).action)) {
        begin(stream, *exchange);
      } else {
        observer_.on_compute(stream.rank, stream.head);
      }
    }
    if (stream.pending > 0) return false;
    pass(stream);
    return true;
  }

  void meet(const StreamProgress& sender, std::size_t send, const StreamProgress& receiver,
            std::size_t receive) override {
    const Endpoint from{sender.rank, sender.head, program(sender.rank).sends(*sender.running)[send].region};
    const Endpoint to{receiver.rank, receiver.head, program(receiver.rank).receives(*receiver.running)[receive].region};
    if (expect_equal(from, to)) observer_.on_transfer(from, to);
  }

  void all_met(const StreamProgress& stream) override { enqueue(stream.rank); }

  bool expect_equal(const Endpoint& from, const Endpoint& to) {
    const Program &sender = program(from.rank), &receiver = program(to.rank);
    const Buffer &a = sender.buffer(from.region.buffer), &b = receiver.buffer(to.region.buffer);
    if (from.region.row_count != to.region.row_count || from.region.head_count != to.region.head_count ||
        a.dim != b.dim || a.dim_v != b.dim_v || a.dtype != b.dtype || a.has_batch() != b.has_batch()) {
      faults_.add("{} sends {} of head dim {} and {} in {}, but {} receives {} of {} and {} in {}",
                  describe(from.rank, sender, from.op), describe(sender, from.region), a.dim, a.dim_v, name_of(a.dtype),
                  describe(to.rank, receiver, to.op), describe(receiver, to.region), b.dim, b.dim_v, name_of(b.dtype));
      return false;
    }
    if (sender.ops[static_cast<std::size_t>(from.op)].backward !=
        receiver.ops[static_cast<std::size_t>(to.op)].backward) {
      faults_.add("{} sends to {}, of another pass", describe(from.rank, sender, from.op),
                  describe(to.rank, receiver, to.op));
      return false;
    }
    return true;
  }

  /// Calls `visit` with the stream of every exchange that runs for ever.
  template <typename Visitor>
  void for_each_stuck(Visitor&& visit) {
    for (int rank = 0; rank < count(); ++rank) {
      for (const StreamProgress& s : streams(rank)) {
        if (s.running != nullptr && s.pending > 0 && !faults_.full()) visit(s);
      }
    }
  }

  /// Transfers whose other side does not exist, as opposed to one that is late.
  void report_unmatched() {
    std::map<std::pair<int, std::int32_t>, const Exchange*> exchanges;  // by rank and ordinal; once something is stuck
    for_each_stuck([&](const StreamProgress& s) {
      if (exchanges.empty()) exchanges = all_exchanges();
      for (const bool sends : {true, false}) {
        (sends ? s.sends : s.receives).for_each([&](const Transfer& t, std::size_t number, std::size_t) {
          const auto there = exchanges.find({t.peer, s.running->ordinal});
          if (there != exchanges.end()) {
            const Program& peer = program(t.peer);
            const auto theirs = sends ? peer.receives(*there->second) : peer.sends(*there->second);
            const auto with_us = std::ranges::count(theirs, s.rank, &Transfer::peer);
            if (static_cast<std::size_t>(with_us) > number) return;
          }
          faults_.add("{} {} rank {}, but that rank's exchange of ordinal {} has no {} for it ({})",
                      describe(s.rank, program(s.rank), s.head), sends ? "sends to" : "receives from", t.peer,
                      s.running->ordinal, sends ? "receive" : "send", describe(program(s.rank), t.region));
        });
      }
    });
  }

  std::map<std::pair<int, std::int32_t>, const Exchange*> all_exchanges() const {
    std::map<std::pair<int, std::int32_t>, const Exchange*> exchanges;
    for (int rank = 0; rank < count(); ++rank) {
      for (const Op& op : program(rank).ops) {
        if (const auto* e = std::get_if<Exchange>(&op.action)) exchanges[{rank, e->ordinal}] = e;
      }
    }
    return exchanges;
  }

  /// Who waits for whom, then what never starts because of it.
  void report_stuck() {
    for_each_stuck([&](const StreamProgress& s) {
      const auto waits_for = [&](const Transfer& t, std::size_t, std::size_t) {
        if (running(t.peer, s.running->ordinal) != nullptr) return;
        faults_.add("deadlock: {} waits for rank {}, which never starts its side",
                    describe(s.rank, program(s.rank), s.head), t.peer);
      };
      s.sends.for_each(waits_for);
      s.receives.for_each(waits_for);
    });
    for (int rank = 0; rank < count(); ++rank) {
      for (const StreamProgress& s : streams(rank)) {
        if (is_at_end(s) || s.running != nullptr || faults_.full()) continue;
        faults_.add("deadlock: {} never starts", describe(rank, program(rank), s.head));
      }
    }
  }

  Observer& observer_;
  Faults& faults_;
  std::vector<char> is_queued_;  ///< by rank
  std::deque<int> queue_;
};

}  // namespace

void match_exchanges(const Schedule& schedule, Observer& observer, Faults& faults) {
  Matching(schedule, observer, faults).run();
}

}  // namespace cpbench::verification
