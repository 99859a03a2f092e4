#include "schedule/verify/matching.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <map>

#include "schedule/verify/peer_list.hpp"

namespace cpbench::verification {
namespace {

/// A stream of a rank: everything before `head` is done. An exchange runs from when it starts until no transfer is
/// pending.
struct StreamProgress {
  OpId head = 0;
  const Exchange* running = nullptr;
  int pending = 0;
  PeerList sends, receives;  ///< of the exchange that runs
};

struct RankProgress {
  std::array<StreamProgress, kStreams> streams;
  std::vector<std::uint8_t>
      stream_of;  ///< by operation, packed: it is asked for all the time, and operations are large
  bool queued = false;
};

class Matching {
 public:
  Matching(const Schedule& schedule, Observer& observer, Faults& faults)
      : schedule_(schedule), observer_(observer), faults_(faults), ranks_(schedule.programs.size()) {
    for (int rank = 0; rank < count(); ++rank) prepare(rank);
  }

  void run() {
    while (!queue_.empty() && !faults_.full()) {
      const int rank = queue_.front();
      queue_.pop_front();
      progress(rank).queued = false;
      advance(rank);
    }
    report_unmatched();
    if (faults_.none()) report_stuck();
  }

 private:
  int count() const { return static_cast<int>(schedule_.programs.size()); }
  const Program& program(int rank) const { return schedule_.programs[static_cast<std::size_t>(rank)]; }
  RankProgress& progress(int rank) { return ranks_[static_cast<std::size_t>(rank)]; }
  OpId end(int rank) const { return static_cast<OpId>(program(rank).ops.size()); }

  void prepare(int rank) {
    RankProgress& p = progress(rank);
    std::vector<std::int32_t> ordinals;
    for (const Op& o : program(rank).ops) {
      p.stream_of.push_back(static_cast<std::uint8_t>(o.stream));
      if (const auto* exchange = std::get_if<Exchange>(&o.action)) ordinals.push_back(exchange->ordinal);
    }
    std::ranges::sort(ordinals);
    if (const auto twice = std::ranges::adjacent_find(ordinals); twice != ordinals.end()) {
      faults_.add("rank {} has two exchanges of ordinal {}", rank, *twice);
    }
    for (std::size_t s = 0; s < p.streams.size(); ++s) p.streams[s].head = next_in_stream(p, 0, s);
    enqueue(rank);
  }

  static OpId next_in_stream(const RankProgress& p, OpId from, std::size_t stream) {
    const auto next = std::find(p.stream_of.begin() + from, p.stream_of.end(), static_cast<std::uint8_t>(stream));
    return static_cast<OpId>(next - p.stream_of.begin());
  }

  void enqueue(int rank) {
    if (progress(rank).queued) return;
    progress(rank).queued = true;
    queue_.push_back(rank);
  }

  /// Goes as far as the rank can get.
  void advance(int rank) {
    for (bool moved = true; moved;) {
      moved = false;
      for (std::size_t s = 0; s < kStreams; ++s) {
        while (step(rank, s)) moved = true;
      }
    }
  }

  /// Starts the stream's next operation if it is ready; whether the stream got past it.
  bool step(int rank, std::size_t stream) {
    RankProgress& p = progress(rank);
    StreamProgress& s = p.streams[stream];
    if (s.head == end(rank)) return false;
    if (s.running == nullptr) {
      const Op& op = program(rank).ops[static_cast<std::size_t>(s.head)];
      for (const OpId before : program(rank).after(op)) {
        if (before >= p.streams[p.stream_of[static_cast<std::size_t>(before)]].head) return false;
      }
      if (const auto* exchange = std::get_if<Exchange>(&op.action)) {
        start(rank, s, *exchange);
      } else {
        observer_.on_compute(rank, s.head);
      }
    }
    if (s.pending > 0) return false;
    s.running = nullptr;
    s.head = next_in_stream(p, s.head + 1, stream);
    return true;
  }

  /// Every transfer whose other side runs already takes place. The others do when their other side starts.
  void start(int rank, StreamProgress& here, const Exchange& exchange) {
    here.running = &exchange;
    here.sends.assign(program(rank).sends(exchange));
    here.receives.assign(program(rank).receives(exchange));
    here.pending = static_cast<int>(exchange.sends.count + exchange.receives.count);
    here.sends.for_each([&](const Transfer& send, std::size_t index) {
      StreamProgress* there = running(send.peer, exchange.ordinal);
      const Transfer* receive = there != nullptr ? there->receives.find(rank, index) : nullptr;
      if (receive != nullptr) meet(rank, here, send, send.peer, *there, *receive);
    });
    here.receives.for_each([&](const Transfer& receive, std::size_t index) {
      if (receive.peer == rank) return;  // took place as a send
      StreamProgress* there = running(receive.peer, exchange.ordinal);
      const Transfer* send = there != nullptr ? there->sends.find(rank, index) : nullptr;
      if (send != nullptr) meet(receive.peer, *there, *send, rank, here, receive);
    });
  }

  StreamProgress* running(int rank, std::int32_t ordinal) {
    for (StreamProgress& s : progress(rank).streams) {
      if (s.running != nullptr && s.running->ordinal == ordinal) return &s;
    }
    return nullptr;
  }

  void meet(int from, StreamProgress& sender, const Transfer& send, int to, StreamProgress& receiver,
            const Transfer& receive) {
    const Endpoint source{from, sender.head, send.region}, target{to, receiver.head, receive.region};
    if (expect_equal(source, target)) observer_.on_transfer(source, target);
    --sender.pending;
    --receiver.pending;
    if (sender.pending == 0) enqueue(from);
    if (receiver.pending == 0) enqueue(to);
  }

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

  /// Calls `visit` with the rank and stream of every exchange that runs for ever.
  template <typename Visitor>
  void for_each_stuck(Visitor&& visit) {
    for (int rank = 0; rank < count(); ++rank) {
      for (StreamProgress& s : progress(rank).streams) {
        if (s.running != nullptr && s.pending > 0 && !faults_.full()) visit(rank, s);
      }
    }
  }

  /// Transfers whose other side does not exist, as opposed to one that is late.
  void report_unmatched() {
    std::map<std::pair<int, std::int32_t>, const Exchange*> exchanges;  // by rank and ordinal; once something is stuck
    for_each_stuck([&](int rank, StreamProgress& s) {
      if (exchanges.empty()) exchanges = all_exchanges();
      for (const bool sends : {true, false}) {
        (sends ? s.sends : s.receives).for_each([&](const Transfer& t, std::size_t index) {
          const auto there = exchanges.find({t.peer, s.running->ordinal});
          if (there != exchanges.end()) {
            const Program& peer = program(t.peer);
            const auto theirs = sends ? peer.receives(*there->second) : peer.sends(*there->second);
            const auto with_us = std::ranges::count(theirs, rank, &Transfer::peer);
            if (static_cast<std::size_t>(with_us) > index) return;
          }
          faults_.add("{} {} rank {}, but that rank's exchange of ordinal {} has no {} for it ({})",
                      describe(rank, program(rank), s.head), sends ? "sends to" : "receives from", t.peer,
                      s.running->ordinal, sends ? "receive" : "send", describe(program(rank), t.region));
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
    for_each_stuck([&](int rank, StreamProgress& s) {
      const auto waits_for = [&](const Transfer& t, std::size_t) {
        if (running(t.peer, s.running->ordinal) != nullptr) return;
        faults_.add("deadlock: {} waits for rank {}, which never starts its side",
                    describe(rank, program(rank), s.head), t.peer);
      };
      s.sends.for_each(waits_for);
      s.receives.for_each(waits_for);
    });
    for (int rank = 0; rank < count(); ++rank) {
      for (const StreamProgress& s : progress(rank).streams) {
        if (s.head == end(rank) || s.running != nullptr || faults_.full()) continue;
        faults_.add("deadlock: {} never starts", describe(rank, program(rank), s.head));
      }
    }
  }

  const Schedule& schedule_;
  Observer& observer_;
  Faults& faults_;
  std::vector<RankProgress> ranks_;
  std::deque<int> queue_;
};

}  // namespace

void match_exchanges(const Schedule& schedule, Observer& observer, Faults& faults) {
  Matching(schedule, observer, faults).run();
}

}  // namespace cpbench::verification
