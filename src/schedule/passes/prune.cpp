#include <algorithm>
#include <memory>
#include <stdexcept>

#include "schedule/passes.hpp"
#include "schedule/passes/prune_rank.hpp"
#include "support/parallel.hpp"

namespace cpbench {
namespace {

/// One message: what arrives where. A ring of 4,096 ranks has 50 million of them, so they are made when they are asked
/// for; what is known of one is kept by the receiver, by the transfer that it is there.
struct Edge {
  int from, to;
  Region sent, received;
  std::uint32_t send, receive;  ///< transfers of the two ranks
};

class Pruner {
 public:
  explicit Pruner(std::vector<Program>& programs) {
    for (std::size_t r = 0; r < programs.size(); ++r) {
      ranks_.push_back(std::make_unique<PruneRank>(static_cast<int>(r), programs[r]));
    }
  }

  void run(const std::function<void(std::size_t)>& done) {
    for (const auto& rank : ranks_) rank->drop_empty_attends();
    follow_data();
    keep_what_is_needed();
    bypass_relays();
    parallel_for_each(ranks_.size(), [&](std::size_t r) {
      ranks_[r]->rebuild();
      ranks_[r].reset();
      done(r);
    });
  }

 private:
  PruneRank& rank(std::int64_t index) { return *ranks_[at(index)]; }
  static std::size_t at(std::int64_t index) { return static_cast<std::size_t>(index); }

  /// Calls visit(transfer, what it is) for the live messages that a rank receives in the exchange that it is at.
  template <typename Visitor>
  static void for_each_live_receive(PruneRank& receiver, Visitor&& visit) {
    const auto* exchange = exchange_at_cursor(receiver);
    if (exchange == nullptr) return;
    for (std::uint32_t t = exchange->receives.begin; t < exchange->receives.begin + exchange->receives.count; ++t) {
      if (receiver.live[t]) visit(t, receiver.named_transfer(t, receiver.cursor));
    }
  }

  /// The same with both sides of a message, visit(edge): the other ranks are at the exchange too. Looking at every
  /// sender's program is what takes time.
  template <typename Visitor>
  void for_each_live(int to, Visitor&& visit) {
    PruneRank& receiver = rank(to);
    for_each_live_receive(receiver, [&](std::uint32_t t, const Transfer& received) {
      const PruneRank& sender = rank(received.peer);
      visit(Edge{received.peer, to, sender.named_transfer(receiver.from[t], sender.cursor).region, received.region,
                 receiver.from[t], t});
    });
  }

  static const Exchange* exchange_at_cursor(const PruneRank& rank) {
    return rank.cursor < rank.program().ops.size() ? std::get_if<Exchange>(&rank.op(rank.cursor).action) : nullptr;
  }

  // --- Forward: what holds data. Sums of nothing vanish; a sum of one thing is that thing. --------------------------

  void follow_data() {
    std::vector<std::vector<Arrival>> arriving(ranks_.size());  // by receiver, in the order of senders
    for (bool more = true; more;) {
      more = false;
      for (std::size_t r = 0; r < ranks_.size(); ++r) {
        advance_to_exchange(*ranks_[r]);
        const Exchange* exchange = exchange_at_cursor(*ranks_[r]);
        if (exchange == nullptr) continue;
        more = true;
        for (std::uint32_t t = exchange->sends.begin; t < exchange->sends.begin + exchange->sends.count; ++t) {
          arriving[at(ranks_[r]->program().transfers[t].peer)].push_back({static_cast<int>(r), t});
        }
      }
      for (std::size_t r = 0; r < ranks_.size(); ++r) receive(static_cast<int>(r), arriving[r]);
      for (const auto& rank : ranks_) rank->cursor = std::min(rank->cursor + 1, rank->program().ops.size());
      exchanges_ += more ? 1 : 0;
    }
  }

  /// Goes through compute operations up to the next exchange.
  static void advance_to_exchange(PruneRank& rank) {
    for (; rank.cursor < rank.program().ops.size() && exchange_at_cursor(rank) == nullptr; ++rank.cursor) {
      if (!rank.dead[rank.cursor]) rank.dead[rank.cursor] = !holds_data_after(rank, rank.cursor);
    }
  }

  /// Notes what the operation writes; false where it is not needed, as it has nothing to work on.
  static bool holds_data_after(PruneRank& rank, std::size_t id) {
    Op op = rank.named(id);
    if (const auto* attend = std::get_if<AttendBackward>(&op.action)) {
      const int heads = rank.program().buffer(attend->dkv).heads;
      for (const Region& box : key_boxes(rank.program().tiles_of(*attend), attend->dkv, heads)) {
        rank.held.add(rank.program(), box);
      }
      return true;
    }
    if (const auto* add = std::get_if<Add>(&op.action)) {
      const Region to = add->to, from = add->from;
      if (!rank.held.touches(from)) return false;
      if (!rank.held.touches(to)) {
        if (rank.is_whole(to) && rank.is_whole(from)) {
          rank.rename(to.buffer, from.buffer, id);
          return false;
        }
        const Add listed = std::get<Add>(rank.op(id).action);
        rank.edit(id).action = Copy{.to = listed.to, .from = listed.from};
        op.action = Copy{.to = to, .from = from};
      }
    }
    if (const auto* copy = std::get_if<Copy>(&op.action); copy && copy->to.empty()) return false;
    for (const Access& a : accesses_of(rank.program(), op)) {
      if (a.writes) rank.held.add(rank.program(), a.region);
    }
    return true;
  }

  struct Arrival {
    int from;
    std::uint32_t send;
  };

  /// Matches what arrives at rank `to` with its receives.
  void receive(int to, std::vector<Arrival>& arriving) {
    PruneRank& receiver = rank(to);
    const Exchange* exchange = exchange_at_cursor(receiver);
    const std::vector<std::uint32_t> receives = receiver.by_peer(exchange != nullptr ? exchange->receives : Slice{});
    if (receives.size() != arriving.size()) throw std::logic_error("prune: an exchange has unmatched messages");
    for (std::size_t k = 0; k < receives.size(); ++k) {
      const PruneRank& sender = rank(arriving[k].from);
      receiver.from[receives[k]] = arriving[k].send;
      receiver.live[receives[k]] = sender.held.touches(sender.named_transfer(arriving[k].send, sender.cursor).region);
    }
    for_each_live_receive(receiver, [&](std::uint32_t, const Transfer& received) {
      receiver.held.add(receiver.program(), received.region);
    });
    arriving.clear();
  }

  // --- Backward: what somebody reads. --------------------------------------------------------------------------------

  void keep_what_is_needed() {
    for (std::size_t n = exchanges_; n-- > 0;) {
      for (const auto& rank : ranks_) retreat_to_exchange(*rank);
      for (const auto& rank : ranks_) {
        for_each_live_receive(*rank, [&](std::uint32_t t, const Transfer& received) {
          rank->live[t] = rank->needed.touches(received.region);
        });
      }
      for (int to = 0; to < count(); ++to) {
        for_each_live(to, [&](const Edge& edge) { need(rank(edge.from), edge.sent, is_relayed(edge)); });
      }
    }
    for (const auto& rank : ranks_) retreat_to_exchange(*rank);
  }

  int count() const { return static_cast<int>(ranks_.size()); }

  /// Whole blocks may be passed on by somebody else; a piece of a buffer counts as read where it is cut.
  bool is_relayed(const Edge& edge) {
    return rank(edge.from).is_whole(edge.sent) && rank(edge.to).is_whole(edge.received);
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
      const Op op = rank.named(id);
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
    for (std::size_t n = 0; n < exchanges_; ++n) {
      for (const auto& rank : ranks_) {
        while (exchange_at_cursor(*rank) == nullptr) ++rank->cursor;
      }
      for (int to = 0; to < count(); ++to) {
        for_each_live(to, [&](const Edge& edge) { settle_sender(edge); });
      }
      for (const auto& rank : ranks_) ++rank->cursor;
    }
  }

  /// Whoever needs a block that its sender only passes on gets it from where it was made. That rank holds it anyway,
  /// whereas an earlier reader would have to keep it for longer.
  void settle_sender(const Edge& edge) {
    PruneRank &sender = rank(edge.from), &receiver = rank(edge.to);
    if (!is_relayed(edge)) {
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
    PruneRank& maker = rank(origin.rank);
    receiver.rerouted[edge.receive] = origin.rank;
    maker.added[maker.cursor].push_back({edge.to, maker.program().whole(origin.buffer)});
  }

  std::vector<std::unique_ptr<PruneRank>> ranks_;
  std::size_t exchanges_ = 0;  ///< of each rank
};

}  // namespace

void prune(std::vector<Program>& programs, const std::function<void(std::size_t)>& done) { Pruner(programs).run(done); }

bool may_be_pruned(const Program& program) {
  const auto in_part = [&](const Transfer& t) { return t.region != program.whole(t.region.buffer); };
  const auto without_tiles = [](const Op& op) {
    if (const auto* a = std::get_if<Attend>(&op.action)) return a->tiles.count == 0;
    if (const auto* a = std::get_if<AttendBackward>(&op.action)) return a->tiles.count == 0;
    return false;
  };
  return std::ranges::any_of(program.transfers, in_part) || std::ranges::any_of(program.ops, without_tiles);
}

}  // namespace cpbench
