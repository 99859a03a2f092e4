#include <algorithm>
#include <span>
#include <vector>

#include "schedule/passes.hpp"
#include "schedule/passes/homeward_sums.hpp"
#include "schedule/passes/prune_job.hpp"
#include "support/parallel.hpp"

namespace cpbench {
namespace {

class Pruner {
 public:
  explicit Pruner(std::vector<Program>& programs) : job_(programs) {}

  void run(const std::function<void(std::size_t)>& done) {
    const bool matched = job_.match_messages();  // or verification says what is wrong
    if (matched) {
      for (const auto& rank : job_.ranks) rank->drop_empty_attends();
      follow_data();
      keep_what_is_needed();
      bypass_relays();
    }
    parallel_for_each(job_.ranks.size(), [&](std::size_t r) {
      if (matched) job_.ranks[r]->rebuild();
      job_.ranks[r].reset();
      done(r);
    });
  }

 private:
  static std::size_t at(std::int64_t index) { return static_cast<std::size_t>(index); }

  // --- Forward: what holds data. Sums of nothing vanish; a sum of one thing is that thing. --------------------------

  void follow_data() {
    for (std::size_t n = 0; n < job_.exchanges; ++n) {
      for (const auto& rank : job_.ranks) advance_to_exchange(*rank);
      for (int to = 0; to < job_.count(); ++to) receive(to);
      for (const auto& rank : job_.ranks) ++rank->cursor;
    }
    for (const auto& rank : job_.ranks) advance_to_exchange(*rank);
  }

  /// Goes through compute operations up to the next exchange.
  void advance_to_exchange(PruneRank& rank) {
    for (; rank.cursor < rank.program().ops.size() && exchange_at_cursor(rank) == nullptr; ++rank.cursor) {
      if (!rank.dead[rank.cursor]) rank.dead[rank.cursor] = !holds_data_after(rank, rank.cursor);
    }
  }

  /// Notes what the operation writes; false where it is not needed, as it has nothing to work on.
  bool holds_data_after(PruneRank& rank, std::size_t id) {
    const Op& op = rank.op(id);
    if (const auto* attend = std::get_if<AttendBackward>(&op.action)) {
      const int heads = rank.program().buffer(attend->dkv).heads;
      for (const Region& box : key_boxes(rank.program().tiles_of(*attend), attend->dkv, heads)) {
        rank.held.add(rank.program(), box);
      }
      return true;
    }
    if (const auto* add = std::get_if<Add>(&op.action)) return adds_data(rank, id, *add);
    if (const auto* copy = std::get_if<Copy>(&op.action); copy && copy->to.empty()) return false;
    const std::vector<Access> accesses = accesses_of(rank.program(), op);
    if (!rank.homeward.empty()) {
      for (const Access& a : accesses) {
        if (a.reads) sums_.bring_home(rank, a.region.buffer, id);
      }
    }
    for (const Access& a : accesses) {
      if (a.writes) rank.held.add(rank.program(), a.region);
    }
    return true;
  }

  bool adds_data(PruneRank& rank, std::size_t id, const Add add) {
    if (rank.is_whole(add.to) && rank.is_whole(add.from)) {
      if (HomewardSums::passes_by(rank, add, rank.op(id).label)) return false;
    } else if (!rank.homeward.empty()) {
      sums_.bring_home(rank, add.from.buffer, id);
    }
    if (!rank.held.touches(add.from)) return false;
    if (!rank.held.touches(add.to)) rank.edit(id).action = Copy{.to = add.to, .from = add.from};
    rank.held.add(rank.program(), add.to);
    return true;
  }

  void receive(int to) {
    PruneRank& receiver = job_.rank(to);
    const Exchange& exchange = *exchange_at_cursor(receiver);
    for (const std::uint32_t t : receiver.by_peer(exchange.receives)) {
      const Edge edge = job_.edge_of(to, t);
      sums_.pass_on_legs(edge);
      const bool holds_data = job_.rank(edge.from).held.touches(edge.sent);
      receiver.live[t] = holds_data;
      if (holds_data && sums_.is_sum(edge)) {
        receiver.arrived[edge.received.buffer] = {edge.from, edge.sent.buffer, exchange.ordinal, {}};
      }
    }
    for_each_live_receive(receiver, [&](std::uint32_t, const Transfer& received) {
      receiver.held.add(receiver.program(), received.region);
    });
  }

  // --- Backward: what somebody reads. --------------------------------------------------------------------------------

  void keep_what_is_needed() {
    for (std::size_t n = job_.exchanges; n-- > 0;) {
      for (const auto& rank : job_.ranks) retreat_to_exchange(*rank);
      for (const auto& rank : job_.ranks) {
        for_each_live_receive(*rank, [&](std::uint32_t t, const Transfer& received) {
          rank->live[t] = rank->needed.touches(received.region);
        });
      }
      for (int to = 0; to < job_.count(); ++to) {
        job_.for_each_live(to, [&](const Edge& edge) { need(job_.rank(edge.from), edge.sent, job_.is_relayed(edge)); });
      }
      for (const auto& rank : job_.ranks) {
        const auto added = rank->added_sends.find(exchange_at_cursor(*rank)->ordinal);
        if (added == rank->added_sends.end()) continue;
        for (const Transfer& t : added->second) need(*rank, t.region, false);
      }
    }
    for (const auto& rank : job_.ranks) retreat_to_exchange(*rank);
  }

  static void need(PruneRank& rank, const Region& region, bool relayed) {
    rank.needed.add(rank.program(), region);
    if (!relayed) rank.read_here[at(region.buffer)] = 1;
  }

  static void retreat_to_exchange(PruneRank& rank) {
    while (rank.cursor > 0) {
      const std::size_t id = --rank.cursor;
      if (exchange_at_cursor(rank) != nullptr) return;
      if (rank.dead[id]) continue;
      const Op& op = rank.op(id);
      const std::vector<Access> accesses = accesses_of(rank.program(), op);
      const bool useful = std::any_of(accesses.begin(), accesses.end(),
                                      [&](const Access& a) { return a.writes && rank.needed.touches(a.region); });
      rank.dead[id] = !useful && !accesses.empty();
      if (useful) need_operands(rank, op, accesses);
    }
  }

  static void need_operands(PruneRank& rank, const Op& op, const std::vector<Access>& accesses) {
    BufferId keys = kNoBuffer;
    std::span<const Tile> tiles;
    if (const auto* a = std::get_if<Attend>(&op.action)) keys = a->kv, tiles = rank.program().tiles_of(*a);
    if (const auto* a = std::get_if<AttendBackward>(&op.action)) keys = a->kv, tiles = rank.program().tiles_of(*a);
    for (const Access& a : accesses) {
      if (a.reads && a.region.buffer != keys) need(rank, a.region, false);
      if (a.writes) rank.read_here[at(a.region.buffer)] = 1;  // made here, not passed on
    }
    if (keys == kNoBuffer) return;
    for (const Region& box : key_boxes(tiles, keys, rank.program().buffer(keys).heads)) need(rank, box, false);
  }

  // --- Forward again: blocks that a rank only passes on, and who sends what in the end. ------------------------------

  void bypass_relays() {
    for (std::size_t n = 0; n < job_.exchanges; ++n) {
      job_.go_to_next_exchange();
      for (int to = 0; to < job_.count(); ++to) {
        job_.for_each_live(to, [&](const Edge& edge) { settle_sender(edge); });
      }
      for (const auto& rank : job_.ranks) ++rank->cursor;
    }
  }

  /// Whoever needs a block that its sender only passes on gets it from where it was made. That rank holds it anyway,
  /// whereas an earlier reader would have to keep it for longer.
  void settle_sender(const Edge& edge) {
    PruneRank &sender = job_.rank(edge.from), &receiver = job_.rank(edge.to);
    if (!job_.is_relayed(edge)) {
      sender.live[edge.send] = 1;
      return;
    }
    const Place origin = sender.origin[at(edge.sent.buffer)];
    receiver.origin[at(edge.received.buffer)] = origin;
    const bool redirected = !sender.read_here[at(edge.sent.buffer)];
    const Place source = redirected ? origin : Place{edge.from, edge.sent.buffer};
    if (source.rank == edge.to) {  // the block has come back to the rank that made it
      receiver.stand_ins[at(edge.received.buffer)] = receiver.stand_ins[at(source.buffer)];
      receiver.live[edge.receive] = 0;
    }
    if (!receiver.read_here[at(edge.received.buffer)]) receiver.live[edge.receive] = 0;
    if (!receiver.live[edge.receive]) return;
    if (!redirected) {
      sender.live[edge.send] = 1;
      return;
    }
    PruneRank& maker = job_.rank(origin.rank);
    receiver.rerouted[edge.receive] = origin.rank;
    maker.added_sends[exchange_at_cursor(maker)->ordinal].push_back({edge.to, maker.program().whole(origin.buffer)});
  }

  PruneJob job_;
  const HomewardSums sums_{job_};
};

}  // namespace

void prune(std::vector<Program>& programs, const std::function<void(std::size_t)>& done) { Pruner(programs).run(done); }

}  // namespace cpbench
