#include "estimate/simulation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <queue>
#include <span>
#include <stdexcept>
#include <string>
#include <tuple>

#include "schedule/figures.hpp"

namespace cpbench {
namespace {

/// The messages of an exchange that has begun, of each direction sorted by peer and those of one peer in their order.
struct Posted {
  struct Send {
    int peer;
    double arrives_s;
  };
  const Exchange* exchange = nullptr;  ///< null: none
  std::vector<Send> sends;
  std::vector<int> receives;
  std::size_t pending = 0;
  double done_s = 0;  ///< as far as its messages are done

  /// The k-th send to the peer, or null.
  const Send* send_to(int peer, std::size_t k) const {
    const std::span from_peer(std::ranges::lower_bound(sends, peer, {}, &Send::peer), sends.end());
    return k < from_peer.size() && from_peer[k].peer == peer ? &from_peer[k] : nullptr;
  }
  bool receives_from(int peer, std::size_t k) const {
    const std::span from_peer(std::ranges::lower_bound(receives, peer), receives.end());
    return k < from_peer.size() && from_peer[k] == peer;
  }
};

double attending_seconds(int128 flops, const std::optional<double>& flops_per_second) {
  if (!flops_per_second) throw std::logic_error("an estimate needs the rates of the passes that it is of");
  return static_cast<double>(flops) / *flops_per_second;
}

/// Calls `visit` with each item and its number among those of its peer.
template <typename Items, typename PeerOf, typename Visitor>
void for_each_numbered(const Items& items, PeerOf peer_of, Visitor&& visit) {
  std::size_t k = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    k = i > 0 && peer_of(items[i - 1]) == peer_of(items[i]) ? k + 1 : 0;
    visit(items[i], k);
  }
}

struct StreamState {
  std::uint8_t index = 0;  ///< the stream's
  OpId head = 0;           ///< all before are done
  bool begun = false;
  Posted posted;
};

struct RankState {
  std::array<StreamState, kStreams> streams;
  std::vector<std::uint8_t> stream_of;  ///< by operation, packed; kNoStream of those that do not run
  std::array<Egress<double>, kLinks> egress;
  bool computes = false;
  RankTime time;
};
constexpr std::uint8_t kNoStream = kStreams;

/// An operation is done: the head of the stream.
struct Event {
  double at_s;
  int rank;
  std::uint8_t stream;
  bool operator>(const Event& other) const {
    return std::tie(at_s, rank, stream) > std::tie(other.at_s, other.rank, other.stream);
  }
};

class Simulation {
 public:
  Simulation(const Schedule& schedule, const MachineModel& machine)
      : schedule_(schedule), machine_(machine), ranks_(schedule.programs.size()) {
    for (int rank = 0; rank < count(); ++rank) prepare(rank);
  }

  std::vector<RankTime> run() {
    for (int rank = 0; rank < count(); ++rank) begin_what_can(rank, 0);
    while (!events_.empty()) {
      const Event event = events_.top();
      events_.pop();
      finish(event);
      begin_what_can(event.rank, event.at_s);
    }
    require_finished();
    std::vector<RankTime> times;
    for (const RankState& rank : ranks_) times.push_back(rank.time);
    return times;
  }

 private:
  int count() const { return static_cast<int>(ranks_.size()); }
  const Program& program(int rank) const { return schedule_.programs[static_cast<std::size_t>(rank)]; }
  const Op& op(int rank, OpId id) const { return program(rank).ops[static_cast<std::size_t>(id)]; }
  RankState& state(int rank) { return ranks_[static_cast<std::size_t>(rank)]; }
  const RankState& state(int rank) const { return ranks_[static_cast<std::size_t>(rank)]; }

  void prepare(int rank) {
    RankState& r = state(rank);
    r.stream_of.reserve(program(rank).ops.size());
    for (const Op& o : program(rank).ops) {
      r.stream_of.push_back(belongs_to(o, schedule_.of.pass) ? static_cast<std::uint8_t>(o.stream) : kNoStream);
    }
    for (std::uint8_t index = 0; index < kStreams; ++index) {
      r.streams[index].index = index;
      r.streams[index].head = next_in_stream(r, 0, index);
    }
  }

  static OpId next_in_stream(const RankState& r, OpId from, std::uint8_t stream) {
    return static_cast<OpId>(std::find(r.stream_of.begin() + from, r.stream_of.end(), stream) - r.stream_of.begin());
  }

  bool can_begin(int rank, const StreamState& stream) const {
    const RankState& r = state(rank);
    if (stream.begun || stream.head == static_cast<OpId>(r.stream_of.size())) return false;
    return std::ranges::all_of(program(rank).after(op(rank, stream.head)), [&](OpId before) {
      const std::uint8_t of_before = r.stream_of[static_cast<std::size_t>(before)];
      return of_before == kNoStream || before < r.streams[of_before].head;
    });
  }

  void begin_what_can(int rank, double now_s) {
    RankState& r = state(rank);
    StreamState* next = nullptr;  // to compute
    for (StreamState& stream : r.streams) {
      if (!can_begin(rank, stream)) continue;
      if (const auto* exchange = std::get_if<Exchange>(&op(rank, stream.head).action)) {
        post(rank, stream, *exchange, now_s);
      } else if (next == nullptr || stream.head < next->head) {
        next = &stream;
      }
    }
    if (r.computes || next == nullptr) return;
    const double seconds = seconds_of(program(rank), op(rank, next->head));
    r.computes = next->begun = true;
    r.time.computing_s += seconds;
    events_.push({now_s + seconds, rank, next->index});
  }

  double seconds_of(const Program& program, const Op& op) const {
    const Problem& problem = schedule_.of.problem;
    if (std::holds_alternative<Attend>(op.action)) {
      const int128 flops = forward_flops(pairs_of(program, op, problem.batch), problem.head_dim, problem.head_dim_v);
      return attending_seconds(flops, machine_.forward_flops_per_second);
    }
    if (std::holds_alternative<AttendBackward>(op.action)) {
      const int128 flops = backward_flops(pairs_of(program, op, problem.batch), problem.head_dim, problem.head_dim_v);
      return attending_seconds(flops, machine_.backward_flops_per_second);
    }
    if (!machine_.memory_bytes_per_second) return 0;
    std::int64_t bytes = 0;
    for (const Access& access : accesses_of(program, op)) {
      bytes += program.bytes(access.region, problem.batch) * (int{access.reads} + int{access.writes});
    }
    return static_cast<double>(bytes) / *machine_.memory_bytes_per_second;
  }

  void finish(const Event& event) {
    RankState& r = state(event.rank);
    StreamState& stream = r.streams[event.stream];
    if (stream.posted.exchange == nullptr) r.computes = false;
    stream.posted.exchange = nullptr;
    stream.begun = false;
    stream.head = next_in_stream(r, stream.head + 1, event.stream);
    r.time.finished_s = event.at_s;
  }

  /// Every message whose other side has begun is met. The others are when their other side begins.
  void post(int rank, StreamState& stream, const Exchange& exchange, double now_s) {
    stream.begun = true;
    Posted& here = stream.posted;
    const TransferList sends = program(rank).sends(exchange), receives = program(rank).receives(exchange);
    here.exchange = &exchange;
    here.pending = sends.size() + receives.size();
    here.done_s = now_s;
    here.sends.clear();
    for (const Transfer& send : sends) here.sends.push_back({send.peer, arrival_s(rank, send, now_s)});
    here.receives.clear();
    for (const Transfer& receive : receives) here.receives.push_back(receive.peer);
    if (!std::ranges::is_sorted(here.sends, {}, &Posted::Send::peer)) {
      std::ranges::stable_sort(here.sends, {}, &Posted::Send::peer);
    }
    if (!std::ranges::is_sorted(here.receives)) std::ranges::sort(here.receives);

    const auto peer_of_send = [](const Posted::Send& send) { return send.peer; };
    for_each_numbered(here.sends, peer_of_send, [&](const Posted::Send& send, std::size_t k) {
      StreamState* there = posted(send.peer, exchange.ordinal);
      if (there != nullptr && there->posted.receives_from(rank, k)) {
        meet(rank, stream, send.peer, *there, send.arrives_s);
      }
    });
    for_each_numbered(here.receives, std::identity(), [&](int peer, std::size_t k) {
      if (peer == rank) return;  // met as a send
      StreamState* there = posted(peer, exchange.ordinal);
      const Posted::Send* send = there != nullptr ? there->posted.send_to(rank, k) : nullptr;
      if (send != nullptr) meet(peer, *there, rank, stream, std::max(send->arrives_s, now_s));
    });
    if (sends.empty() && receives.empty()) events_.push({now_s, rank, stream.index});
  }

  double arrival_s(int rank, const Transfer& send, double now_s) {
    const auto speed = machine_.links.speed_of(send.link, rank, send.peer);
    if (!speed) return now_s;
    const auto bytes = static_cast<double>(program(rank).bytes(send.region, schedule_.of.problem.batch));
    Egress<double>& egress =
        state(rank).egress[static_cast<std::size_t>(machine_.links.link_of(send.link, rank, send.peer))];
    return egress.send(now_s, bytes / speed->bytes_per_second, speed->latency_s);
  }

  StreamState* posted(int rank, std::int32_t ordinal) {
    for (StreamState& s : state(rank).streams) {
      if (s.posted.exchange != nullptr && s.posted.exchange->ordinal == ordinal) return &s;
    }
    return nullptr;
  }

  void meet(int from, StreamState& sender, int to, StreamState& receiver, double done_s) {
    const auto met = [&](int rank, StreamState& stream) {
      Posted& posted = stream.posted;
      posted.done_s = std::max(posted.done_s, done_s);
      if (--posted.pending == 0) events_.push({posted.done_s, rank, stream.index});
    };
    met(from, sender);
    met(to, receiver);
  }

  void require_finished() const {
    constexpr int kMost = 5;
    std::string text;
    int waiting = 0;
    for (int rank = 0; rank < count(); ++rank) {
      for (const StreamState& stream : state(rank).streams) {
        if (stream.head == static_cast<OpId>(state(rank).stream_of.size()) || ++waiting > kMost) continue;
        text += fmt::format("{} rank {}, op {} ({}) {}", text.empty() ? "" : ";", rank, stream.head,
                            to_string(op(rank, stream.head).label),
                            stream.begun ? "has begun and waits for its peers" : "never begins");
      }
    }
    if (waiting > 0)
      throw std::logic_error(fmt::format("the programs stand still:{}{}", text, waiting > kMost ? "; ..." : ""));
  }

  const Schedule& schedule_;
  const MachineModel& machine_;
  std::vector<RankState> ranks_;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
};

}  // namespace

std::vector<RankTime> simulate(const Schedule& schedule, const MachineModel& machine) {
  return Simulation(schedule, machine).run();
}

}  // namespace cpbench
