#include "estimate/simulation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <queue>
#include <stdexcept>
#include <string>
#include <tuple>

#include "schedule/figures.hpp"
#include "schedule/joint_progress.hpp"

namespace cpbench {
namespace {

double attending_seconds(int128 flops, const std::optional<double>& flops_per_second) {
  if (!flops_per_second) throw std::logic_error("an estimate needs the rates of the passes that it is of");
  return static_cast<double>(flops) / *flops_per_second;
}

/// The exchange that a stream runs.
struct Posted {
  std::vector<double> arrives_s;  ///< by send
  double done_s = 0;              ///< as far as its messages have met
};

struct RankState {
  std::array<Posted, kStreams> posted;
  std::array<Egress<double>, kLinks> egress;
  bool computes = false;
  RankTime time;
};

/// An operation is done: the head of the stream.
struct Event {
  double at_s;
  int rank;
  std::uint8_t stream;
  bool operator>(const Event& other) const {
    return std::tie(at_s, rank, stream) > std::tie(other.at_s, other.rank, other.stream);
  }
};

class Simulation : JointProgress {
 public:
  Simulation(const Schedule& schedule, const MachineModel& machine)
      : JointProgress(schedule, schedule.of.pass), machine_(machine), states_(schedule.programs.size()) {}

  std::vector<RankTime> run() {
    for (int rank = 0; rank < count(); ++rank) begin_what_can(rank);
    while (!events_.empty()) {
      const Event event = events_.top();
      events_.pop();
      now_s_ = event.at_s;
      finish(event);
      begin_what_can(event.rank);
    }
    require_finished();
    std::vector<RankTime> times;
    for (const RankState& rank : states_) times.push_back(rank.time);
    return times;
  }

 private:
  RankState& state(int rank) { return states_[static_cast<std::size_t>(rank)]; }
  Posted& posted(const StreamProgress& stream) { return state(stream.rank).posted[stream.index]; }

  void begin_what_can(int rank) {
    RankState& r = state(rank);
    const StreamProgress* next = nullptr;  // to compute
    for (StreamProgress& stream : streams(rank)) {
      if (!is_ready(stream)) continue;
      if (const auto* exchange = std::get_if<Exchange>(&head_of(stream).action)) {
        post(stream, *exchange);
      } else if (next == nullptr || stream.head < next->head) {
        next = &stream;
      }
    }
    if (r.computes || next == nullptr) return;
    const double seconds = seconds_of(program(rank), head_of(*next));
    r.computes = true;
    r.time.computing_s += seconds;
    events_.push({now_s_ + seconds, rank, next->index});
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
    StreamProgress& stream = streams(event.rank)[event.stream];
    if (stream.running == nullptr) state(event.rank).computes = false;
    state(event.rank).time.finished_s = event.at_s;
    pass(stream);
  }

  void post(StreamProgress& stream, const Exchange& exchange) {
    Posted& here = posted(stream);
    here.done_s = now_s_;
    here.arrives_s.clear();
    for (const Transfer& send : program(stream.rank).sends(exchange)) {
      here.arrives_s.push_back(arrival_s(stream.rank, send));
    }
    begin(stream, exchange);
  }

  double arrival_s(int rank, const Transfer& send) {
    const auto speed = machine_.links.speed_of(send.link, rank, send.peer);
    if (!speed) return now_s_;
    const auto bytes = static_cast<double>(program(rank).bytes(send.region, schedule_.of.problem.batch));
    Egress<double>& egress =
        state(rank).egress[static_cast<std::size_t>(machine_.links.link_of(send.link, rank, send.peer))];
    return egress.send(now_s_, bytes / speed->bytes_per_second, speed->latency_s);
  }

  void meet(const StreamProgress& sender, std::size_t send, const StreamProgress& receiver, std::size_t) override {
    const double done_s = std::max(posted(sender).arrives_s[send], now_s_);
    for (const StreamProgress* side : {&sender, &receiver}) {
      posted(*side).done_s = std::max(posted(*side).done_s, done_s);
    }
  }

  void all_met(const StreamProgress& stream) override {
    events_.push({posted(stream).done_s, stream.rank, stream.index});
  }

  void require_finished() const {
    constexpr int kMost = 5;
    std::string text;
    int waiting = 0;
    for (int rank = 0; rank < count(); ++rank) {
      for (const StreamProgress& stream : streams(rank)) {
        if (is_at_end(stream) || ++waiting > kMost) continue;
        text += fmt::format("{} rank {}, op {} ({}) {}", text.empty() ? "" : ";", rank, stream.head,
                            to_string(head_of(stream).label),
                            stream.running != nullptr ? "has begun and waits for its peers" : "never begins");
      }
    }
    if (waiting > 0)
      throw std::logic_error(fmt::format("the programs stand still:{}{}", text, waiting > kMost ? "; ..." : ""));
  }

  const MachineModel& machine_;
  std::vector<RankState> states_;
  double now_s_ = 0;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
};

}  // namespace

std::vector<RankTime> simulate(const Schedule& schedule, const MachineModel& machine) {
  return Simulation(schedule, machine).run();
}

}  // namespace cpbench
