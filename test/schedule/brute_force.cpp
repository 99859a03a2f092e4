#include "schedule/brute_force.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <random>
#include <stdexcept>

#include "schedule/symbolic_compute.hpp"

namespace cpbench {
namespace brute_force {
namespace {

/// All ranks, one random step after the other.
class Machine {
 public:
  Machine(const Schedule& schedule, std::uint64_t seed)
      : schedule_(schedule), expectation_(schedule.of.problem), random_(seed) {
    for (int rank = 0; rank < ranks(); ++rank) memories_.emplace_back(schedule, rank);
  }

  void run(bool backward_only) {
    progress_.clear();
    messages_.clear();
    for (int rank = 0; rank < ranks(); ++rank) {
      std::vector<OpProgress>& progress = progress_.emplace_back();
      for (const Op& op : program(rank).ops) {
        progress.push_back({.phase = backward_only && !op.backward ? Phase::kDone : Phase::kWaiting});
      }
    }
    while (step()) {
    }
    for (const auto& progress : progress_) {
      if (std::ranges::any_of(progress, [](const OpProgress& p) { return p.phase != Phase::kDone; })) wrong("deadlock");
    }
  }

  void check_results() {
    const Case& c = schedule_.of;
    for (int rank = 0; rank < ranks(); ++rank) {
      const OwnedBuffers& own = program(rank).owned;
      check_result(rank, own.out, Role::kOut);
      check_result(rank, own.lse, Role::kLse);
      if (c.pass == Pass::kForward) continue;
      check_result(rank, own.dq, Role::kDq);
      check_result(rank, own.dkv, Role::kDkv);
      if (c.problem.sink && rank == 0) check_result(rank, own.dsink, Role::kDsink);
    }
  }

 private:
  enum class Phase { kWaiting, kRunning, kDone };
  struct OpProgress {
    Phase phase = Phase::kWaiting;
    bool reads_early = false, writes_early = false;
    std::vector<Write> writes;                  ///< of a computation that read early
    std::vector<std::vector<Element>> payload;  ///< of sends that read early
    int pending = 0;                            ///< transfers of an exchange
  };
  struct Message {
    int from, to;
    OpId send_op, receive_op;
    std::size_t send_index;
    Region source, target;
  };
  struct Move {
    enum { kStart, kEnd, kDeliver } kind;
    int rank;
    std::size_t index;  ///< operation, or message
  };

  int ranks() const { return static_cast<int>(schedule_.programs.size()); }
  const Program& program(int rank) const { return schedule_.programs[static_cast<std::size_t>(rank)]; }
  const Op& op(int rank, std::size_t id) const { return program(rank).ops[id]; }
  OpProgress& progress(int rank, std::size_t id) { return progress_[static_cast<std::size_t>(rank)][id]; }
  Memory& memory(int rank) { return memories_[static_cast<std::size_t>(rank)]; }
  std::vector<Write> compute(int rank, std::size_t id) {
    return brute_force::compute(schedule_.of.problem, program(rank), expectation_, memory(rank), op(rank, id));
  }
  bool coin() { return (random_() & 1) != 0; }

  bool step() {
    moves_.clear();
    for (int rank = 0; rank < ranks(); ++rank) collect_moves(rank);
    for (std::size_t m = 0; m < messages_.size(); ++m) moves_.push_back({Move::kDeliver, 0, m});
    if (moves_.empty()) return false;
    const Move move = moves_[random_() % moves_.size()];
    if (move.kind == Move::kStart) start(move.rank, move.index);
    if (move.kind == Move::kEnd) end(move.rank, move.index);
    if (move.kind == Move::kDeliver) deliver(move.index);
    return true;
  }

  void collect_moves(int rank) {
    std::array<bool, kStreams> stream_free;
    stream_free.fill(true);
    for (std::size_t id = 0; id < program(rank).ops.size(); ++id) {
      const OpProgress& p = progress(rank, id);
      if (p.phase == Phase::kDone) continue;
      bool& free = stream_free[static_cast<std::size_t>(op(rank, id).stream)];
      if (!free) continue;
      free = false;
      if (p.phase == Phase::kRunning) {
        if (p.pending == 0) moves_.push_back({Move::kEnd, rank, id});
        continue;
      }
      const auto after = program(rank).after(op(rank, id));
      const bool ready = std::ranges::all_of(
          after, [&](OpId before) { return progress(rank, static_cast<std::size_t>(before)).phase == Phase::kDone; });
      if (ready) moves_.push_back({Move::kStart, rank, id});
    }
  }

  void start(int rank, std::size_t id) {
    OpProgress& p = progress(rank, id);
    p.phase = Phase::kRunning;
    p.reads_early = coin();
    p.writes_early = coin();
    if (const auto* exchange = std::get_if<Exchange>(&op(rank, id).action)) return start(rank, id, *exchange);
    if (!p.reads_early) return;
    p.writes = compute(rank, id);
    if (p.writes_early) {
      memory(rank).apply(p.writes);
    } else if (coin()) {
      memory(rank).poison(p.writes);
    }
  }

  void start(int rank, std::size_t id, const Exchange& exchange) {
    OpProgress& p = progress(rank, id);
    p.pending = static_cast<int>(exchange.sends.count + exchange.receives.count);
    if (p.reads_early) {
      for (const Transfer& t : program(rank).sends(exchange)) p.payload.push_back(memory(rank).read(t.region));
    }
    if (coin()) {
      for (const Transfer& t : program(rank).receives(exchange)) memory(rank).poison(t.region);
    }
    for (int peer = 0; peer < ranks(); ++peer) {
      pair_up(rank, id, peer);
      if (peer != rank) pair_up(peer, 0, rank, id);
    }
  }

  /// The exchange of `rank` with this ordinal that is running; or nothing.
  const Exchange* running(int rank, std::int32_t ordinal, std::size_t& id) {
    for (id = 0; id < program(rank).ops.size(); ++id) {
      const auto* exchange = std::get_if<Exchange>(&op(rank, id).action);
      if (exchange != nullptr && exchange->ordinal == ordinal && progress(rank, id).phase == Phase::kRunning) {
        return exchange;
      }
    }
    return nullptr;
  }

  /// Messages from `from`'s exchange `send_op` to `to`, once both sides run.
  void pair_up(int from, std::size_t send_op, int to) {
    const auto& sending = std::get<Exchange>(op(from, send_op).action);
    std::size_t receive_op = 0;
    if (const Exchange* receiving = running(to, sending.ordinal, receive_op)) {
      pair_up(from, send_op, sending, to, receive_op, *receiving);
    }
  }
  /// The same when it is `to` that starts.
  void pair_up(int from, std::size_t send_op, int to, std::size_t receive_op) {
    const auto& receiving = std::get<Exchange>(op(to, receive_op).action);
    if (const Exchange* sending = running(from, receiving.ordinal, send_op)) {
      pair_up(from, send_op, *sending, to, receive_op, receiving);
    }
  }
  void pair_up(int from, std::size_t send_op, const Exchange& sending, int to, std::size_t receive_op,
               const Exchange& receiving) {
    const auto sends = program(from).sends(sending), receives = program(to).receives(receiving);
    std::size_t r = 0;
    for (std::size_t s = 0; s < sends.size(); ++s) {
      if (sends[s].peer != to) continue;
      while (r < receives.size() && receives[r].peer != from) ++r;
      if (r == receives.size()) return;
      const Region &source = sends[s].region, &target = receives[r++].region;
      if (source.row_count != target.row_count || source.head_count != target.head_count) wrong("shapes differ");
      messages_.push_back({from, to, static_cast<OpId>(send_op), static_cast<OpId>(receive_op), s, source, target});
    }
  }

  void deliver(std::size_t index) {
    const Message m = messages_[index];
    messages_.erase(messages_.begin() + static_cast<std::ptrdiff_t>(index));
    OpProgress &sender = progress(m.from, static_cast<std::size_t>(m.send_op)),
               &receiver = progress(m.to, static_cast<std::size_t>(m.receive_op));
    memory(m.to).write(m.target, sender.reads_early ? sender.payload.at(m.send_index) : memory(m.from).read(m.source));
    --sender.pending;
    --receiver.pending;
  }

  void end(int rank, std::size_t id) {
    OpProgress& p = progress(rank, id);
    if (!p.reads_early) memory(rank).apply(compute(rank, id));
    if (p.reads_early && !p.writes_early) memory(rank).apply(p.writes);
    p.phase = Phase::kDone;
  }

  void check_result(int rank, BufferId id, Role kind) {
    if (id == kNoBuffer) wrong("a result is missing");
    const std::vector<std::int64_t> tokens = expand(schedule_.tokens[static_cast<std::size_t>(rank)]);
    Memory::for_each(program(rank).whole(id), [&](std::int64_t row, std::int32_t head) {
      Element e = memory(rank).at(id, row, head);
      std::ranges::sort(e.pairs);
      Pairs expected;
      if (kind == Role::kDsink) {
        expected = expectation_.of_sink(head);
      } else {
        const auto token = static_cast<std::int32_t>(tokens.at(static_cast<std::size_t>(row)));
        const bool with_sink = schedule_.of.problem.sink && kind != Role::kDq;
        expected =
            kind == Role::kDkv ? expectation_.of_key(token, head) : expectation_.of_query(token, head, with_sink);
      }
      if (!e.is(kind) || e.pairs != expected) {
        wrong(fmt::format("rank {}: row {}, head {} of {} is wrong", rank, row, head, name_of(kind)));
      }
    });
  }

  const Schedule& schedule_;
  Expectation expectation_;
  std::mt19937_64 random_;
  std::vector<Memory> memories_;
  std::vector<std::vector<OpProgress>> progress_;
  std::vector<Message> messages_;
  std::vector<Move> moves_;
};

}  // namespace
}  // namespace brute_force

BruteForceResult run_by_brute_force(const Schedule& schedule, std::uint64_t seed) {
  try {
    brute_force::Machine machine(schedule, seed);
    for (const bool again : {false, true}) {
      machine.run(again && schedule.of.pass == Pass::kBackward);
      machine.check_results();
    }
    return {};
  } catch (const std::runtime_error& error) {
    return {.right = false, .reason = error.what()};
  } catch (const std::out_of_range& error) {
    return {.right = false, .reason = error.what()};
  }
}

}  // namespace cpbench
