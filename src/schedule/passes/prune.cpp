#include <algorithm>
#include <memory>
#include <span>
#include <utility>
#include <vector>

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
    const bool matched = match_messages();  // or verification says what is wrong
    if (matched) {
      for (const auto& rank : ranks_) rank->drop_empty_attends();
      follow_data();
      keep_what_is_needed();
      bypass_relays();
    }
    parallel_for_each(ranks_.size(), [&](std::size_t r) {
      if (matched) ranks_[r]->rebuild();
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
      if (receiver.live[t]) visit(t, receiver.program().transfers[t]);
    }
  }

  /// The same with both sides of a message, visit(edge): the other ranks are at the exchange too. Looking at every
  /// sender's program is what takes time.
  template <typename Visitor>
  void for_each_live(int to, Visitor&& visit) {
    for_each_live_receive(rank(to), [&](std::uint32_t t, const Transfer&) { visit(edge_of(to, t)); });
  }

  Edge edge_of(int to, std::uint32_t receive) {
    const PruneRank& receiver = rank(to);
    const Transfer& received = receiver.program().transfers[receive];
    const std::uint32_t send = receiver.from[receive];
    return {received.peer, to, rank(received.peer).program().transfers[send].region, received.region, send, receive};
  }

  static const Exchange* exchange_at_cursor(const PruneRank& rank) {
    return rank.cursor < rank.program().ops.size() ? std::get_if<Exchange>(&rank.op(rank.cursor).action) : nullptr;
  }

  // --- Which send a receive is for. ----------------------------------------------------------------------------------

  struct Arrival {
    int from;
    std::uint32_t send;
  };

  /// False where a message has one side only.
  bool match_messages() {
    std::vector<std::vector<Arrival>> arriving(ranks_.size());  // by receiver, in the order of senders
    for (; go_to_next_exchange(); ++exchanges_) {
      for (const auto& rank : ranks_) {
        const Exchange* exchange = exchange_at_cursor(*rank);
        if (exchange == nullptr) return false;
        for (std::uint32_t t = exchange->sends.begin; t < exchange->sends.begin + exchange->sends.count; ++t) {
          const std::int32_t peer = rank->program().transfers[t].peer;
          if (peer < 0 || peer >= count()) return false;
          arriving[at(peer)].push_back({rank->number, t});
        }
      }
      for (const auto& rank : ranks_) {
        if (!match_receives(*rank, arriving[at(rank->number)])) return false;
        ++rank->cursor;
      }
    }
    for (const auto& rank : ranks_) rank->cursor = 0;
    return true;
  }

  /// False where no rank has one.
  bool go_to_next_exchange() {
    bool found = false;
    for (const auto& rank : ranks_) {
      while (rank->cursor < rank->program().ops.size() && exchange_at_cursor(*rank) == nullptr) ++rank->cursor;
      found = found || exchange_at_cursor(*rank) != nullptr;
    }
    return found;
  }

  static bool match_receives(PruneRank& receiver, std::vector<Arrival>& arriving) {
    const std::vector<std::uint32_t> receives = receiver.by_peer(exchange_at_cursor(receiver)->receives);
    if (receives.size() != arriving.size()) return false;
    for (std::size_t k = 0; k < receives.size(); ++k) {
      if (receiver.program().transfers[receives[k]].peer != arriving[k].from) return false;
      receiver.from[receives[k]] = arriving[k].send;
    }
    arriving.clear();
    return true;
  }

  // --- Forward: what holds data. Sums of nothing vanish; a sum of one thing is that thing. --------------------------

  void follow_data() {
    for (std::size_t n = 0; n < exchanges_; ++n) {
      for (const auto& rank : ranks_) advance_to_exchange(*rank);
      for (int to = 0; to < count(); ++to) receive(to);
      for (const auto& rank : ranks_) ++rank->cursor;
    }
    for (const auto& rank : ranks_) advance_to_exchange(*rank);
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
        if (a.reads) bring_home(rank, a.region.buffer, id);
      }
    }
    for (const Access& a : accesses) {
      if (a.writes) rank.held.add(rank.program(), a.region);
    }
    return true;
  }

  bool adds_data(PruneRank& rank, std::size_t id, const Add add) {
    if (rank.is_whole(add.to) && rank.is_whole(add.from)) {
      if (passes_by(rank, add, rank.op(id).label)) return false;
    } else if (!rank.homeward.empty()) {
      bring_home(rank, add.from.buffer, id);
    }
    if (!rank.held.touches(add.from)) return false;
    if (!rank.held.touches(add.to)) rank.edit(id).action = Copy{.to = add.to, .from = add.from};
    rank.held.add(rank.program(), add.to);
    return true;
  }

  void receive(int to) {
    PruneRank& receiver = rank(to);
    const Exchange& exchange = *exchange_at_cursor(receiver);
    for (const std::uint32_t t : receiver.by_peer(exchange.receives)) {
      const Edge edge = edge_of(to, t);
      pass_on_legs(edge);
      const bool holds_data = rank(edge.from).held.touches(edge.sent);
      receiver.live[t] = holds_data;
      if (holds_data && is_sum(edge)) {
        receiver.arrived[edge.received.buffer] = {edge.from, edge.sent.buffer, exchange.ordinal, {}};
      }
    }
    for_each_live_receive(receiver, [&](std::uint32_t, const Transfer& received) {
      receiver.held.add(receiver.program(), received.region);
    });
  }

  // --- Sums on their way: each rank adds to them what it has. --------------------------------------------------------
  //
  // From a rank that is followed by one which has nothing to add they go home at once, to whoever reads them in the
  // end, and the next one that has something begins a new sum. So what waits is summed up in one place, and does not
  // lie on some rank together with the sums of many others.

  bool is_sum(const Edge& edge) {
    return rank(edge.to).program().buffer(edge.received.buffer).role == Role::kAccumulator && is_relayed(edge);
  }

  /// What is missing in `add.from` is missing in `add.to`; and so is `add.from`, where it comes from another rank and
  /// there is nothing to add it to. Then, true: there is nothing to be done here.
  static bool passes_by(PruneRank& rank, const Add& add, const Label& label) {
    const auto arrived = rank.arrived.extract(add.from.buffer);
    const auto legs = rank.homeward.extract(add.from.buffer);
    const bool passes = !arrived.empty() && !rank.held.touches(add.to);
    if (legs.empty() && !passes) return false;
    std::vector<Leg>& all = rank.homeward[add.to.buffer];
    if (!legs.empty()) all.insert(all.end(), legs.mapped().begin(), legs.mapped().end());
    if (passes) {
      all.push_back(arrived.mapped());
      all.back().label = label;
    }
    return passes;
  }

  /// What is missing in a sum that is passed on is missing in what arrives.
  void pass_on_legs(const Edge& edge) {
    PruneRank& sender = rank(edge.from);
    if (sender.homeward.empty()) return;
    if (!is_sum(edge)) return bring_home(sender, edge.sent.buffer, sender.cursor);
    auto legs = sender.homeward.extract(edge.sent.buffer);
    if (!legs.empty()) rank(edge.to).homeward[edge.received.buffer] = std::move(legs.mapped());
  }

  /// The sum is read by operation `id`, or sent elsewhere than to be added to: what is missing in it comes here. It is
  /// summed up as it comes, so that of all parts but one none is kept, and added to the rest before the operation. What
  /// is inserted here stays, needed or not: sums of gradients always are.
  void bring_home(PruneRank& home, BufferId sum, std::size_t id) {
    auto found = home.homeward.extract(sum);
    if (found.empty()) return;
    std::vector<Leg>& legs = found.mapped();
    std::ranges::stable_sort(legs, {}, &Leg::ordinal);
    const Region parts = send_home(home, sum, legs.front());
    add_as_they_come(home, sum, parts, std::span(legs).subspan(1), id);
    const Region to = home.program().whole(sum);
    const bool holds_data = home.held.touches(to);
    home.insert(id, legs.front().label, holds_data ? Action(Add{to, parts}) : Action(Copy{to, parts}));
    home.held.add(home.program(), to);
  }

  /// Adds a message to an exchange. Returns where it arrives.
  Region send_home(PruneRank& home, BufferId sum, const Leg& leg) {
    PruneRank& sender = rank(leg.rank);
    const Region part = home.program().whole(home.add_buffer_like(sum));
    sender.added_sends[leg.ordinal].push_back({home.number, sender.program().whole(leg.buffer)});
    home.added_receives[leg.ordinal].push_back({leg.rank, part});
    return part;
  }

  /// Adds to `parts` what comes, after the attend during which it comes, or where there is none before more comes.
  void add_as_they_come(PruneRank& home, BufferId sum, const Region& parts, std::span<const Leg> legs,
                        std::size_t end) {
    std::vector<std::pair<Label, Add>> waiting;
    const auto add_before = [&](std::size_t id) {
      for (const auto& [label, add] : waiting) home.insert(id, label, add);
      waiting.clear();
    };
    for (std::size_t id = 0; id < end && !(legs.empty() && waiting.empty()); ++id) {
      const Action& action = home.op(id).action;
      const auto* exchange = std::get_if<Exchange>(&action);
      const auto comes = [&] { return !legs.empty() && exchange != nullptr && exchange->ordinal == legs[0].ordinal; };
      if (comes()) add_before(id);
      for (; comes(); legs = legs.subspan(1)) {
        waiting.emplace_back(legs[0].label, Add{parts, send_home(home, sum, legs[0])});
      }
      if (std::holds_alternative<AttendBackward>(action) && !home.dead[id]) add_before(id + 1);
    }
    add_before(end);
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
      for (const auto& rank : ranks_) {
        const auto added = rank->added_sends.find(exchange_at_cursor(*rank)->ordinal);
        if (added == rank->added_sends.end()) continue;
        for (const Transfer& t : added->second) need(*rank, t.region, false);
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
    for (std::size_t n = 0; n < exchanges_; ++n) {
      go_to_next_exchange();
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
    maker.added_sends[exchange_at_cursor(maker)->ordinal].push_back({edge.to, maker.program().whole(origin.buffer)});
  }

  std::vector<std::unique_ptr<PruneRank>> ranks_;
  std::size_t exchanges_ = 0;  ///< of each rank
};

}  // namespace

void prune(std::vector<Program>& programs, const std::function<void(std::size_t)>& done) { Pruner(programs).run(done); }

}  // namespace cpbench
