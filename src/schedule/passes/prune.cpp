#include <algorithm>
#include <map>
#include <stdexcept>
#include <utility>
#include <vector>

#include "schedule/passes.hpp"
#include "schedule/passes/boxes.hpp"
#include "schedule/passes/operands.hpp"

namespace cpbench {
namespace {

std::size_t at(std::int64_t index) { return static_cast<std::size_t>(index); }

/// One message: who sends what, and where it arrives.
struct Edge {
  int from, to;
  Region sent, received;
  bool alive = true;
};

/// A buffer of a rank.
struct Place {
  int rank;
  BufferId buffer;
  bool operator==(const Place&) const = default;
};

/// One rank's program with what the pass learns about it.
struct Rank {
  Program* program;
  std::vector<char> dead;       ///< by operation
  std::vector<BufferId> names;  ///< by buffer: the buffer that stands for it
  std::vector<Boxes> held,
      needed;                   ///< by buffer: what is in it (else it is zero, or nothing), what is read of it later
  std::vector<char> read_here;  ///< by buffer: somebody on this rank reads it, not only passes it on
  std::vector<Place> origin;    ///< by buffer: where the block that it holds was last read
  std::size_t cursor = 0;

  explicit Rank(int rank, Program& p)
      : program(&p),
        dead(p.ops.size(), 0),
        held(p.buffers.size()),
        needed(p.buffers.size()),
        read_here(p.buffers.size(), 0) {
    for (BufferId id = 0; id < static_cast<BufferId>(p.buffers.size()); ++id) {
      names.push_back(id);
      origin.push_back({rank, id});
    }
    const OwnedBuffers& own = p.owned;
    for (const BufferId id : {own.q, own.kv, own.dout, own.sink}) {
      if (id != kNoBuffer) held[at(id)].add(p.whole(id)), read_here[at(id)] = 1;
    }
    for (const BufferId id : {own.out, own.lse, own.dq, own.dkv, own.dsink}) {
      if (id != kNoBuffer) needed[at(id)].add(p.whole(id)), read_here[at(id)] = 1;
    }
  }

  bool is_whole(const Region& r) const { return r == program->whole(r.buffer); }
};

/// Operations of a chain (the attends on one state, or on one dq) of which only those with tiles are worth running.
using Chains = std::map<std::pair<BufferId, int>, std::vector<std::size_t>>;

template <typename AttendKind>
void keep_those_with_tiles(Rank& rank, const std::vector<std::size_t>& chain, std::size_t else_keep,
                           void (*set_ends)(AttendKind& first, AttendKind& last)) {
  std::vector<AttendKind*> kept;
  for (const std::size_t id : chain) {
    auto& attend = std::get<AttendKind>(rank.program->ops[id].action);
    if (attend.tiles.count > 0) {
      kept.push_back(&attend);
    } else {
      rank.dead[id] = 1;
    }
  }
  if (kept.empty()) {
    rank.dead[else_keep] = 0;
    kept.push_back(&std::get<AttendKind>(rank.program->ops[else_keep].action));
  }
  set_ends(*kept.front(), *kept.back());
}

void drop_empty_attends(Rank& rank) {
  Chains forward, backward;
  for (std::size_t id = 0; id < rank.program->ops.size(); ++id) {
    const Action& action = rank.program->ops[id].action;
    if (const auto* a = std::get_if<Attend>(&action)) forward[{a->state, a->heads.q_begin}].push_back(id);
    if (const auto* a = std::get_if<AttendBackward>(&action)) backward[{a->dq, a->heads.q_begin}].push_back(id);
  }
  // Where no step has tiles the one with the rank's own block stays, to write what an empty result is.
  for (const auto& [key, chain] : forward) {
    keep_those_with_tiles<Attend>(rank, chain, chain.front(), [](Attend& first, Attend& last) {
      first.first = true;
      last.last = true;
    });
  }
  for (const auto& [key, chain] : backward) {
    keep_those_with_tiles<AttendBackward>(rank, chain, chain.back(),
                                          [](AttendBackward& first, AttendBackward&) { first.first_dq = true; });
  }
}

class Pruner {
 public:
  explicit Pruner(std::vector<Program>& programs) {
    for (std::size_t r = 0; r < programs.size(); ++r) ranks_.emplace_back(static_cast<int>(r), programs[r]);
  }

  void run() {
    for (Rank& rank : ranks_) drop_empty_attends(rank);
    follow_data();
    keep_what_is_needed();
    bypass_relays();
    rebuild();
  }

 private:
  // --- Forward: what holds data. Sums of nothing vanish; a sum of one thing is that thing. --------------------------

  void follow_data() {
    for (bool more = true; more;) {
      more = false;
      std::vector<std::vector<Edge>> arriving(ranks_.size());  // by receiver, in the order of senders
      for (std::size_t r = 0; r < ranks_.size(); ++r) {
        if (Op* op = advance_to_exchange(ranks_[r])) {
          more = true;
          const auto& exchange = std::get<Exchange>(op->action);
          for (const Transfer& t : ranks_[r].program->sends(exchange)) {
            arriving[at(t.peer)].push_back({static_cast<int>(r), t.peer, t.region, {}});
          }
        }
      }
      if (!more) break;
      std::vector<Edge> edges;
      for (std::size_t r = 0; r < ranks_.size(); ++r) receive(r, arriving[r], edges);
      edges_.push_back(std::move(edges));
    }
  }

  /// Goes through compute operations up to the next exchange, and returns that.
  Op* advance_to_exchange(Rank& rank) {
    while (rank.cursor < rank.program->ops.size()) {
      const std::size_t id = rank.cursor++;
      Op& op = rank.program->ops[id];
      rename_buffers(*rank.program, op, rank.names);
      if (std::holds_alternative<Exchange>(op.action)) return &op;
      if (!rank.dead[id]) rank.dead[id] = !holds_data_after(rank, op);
    }
    return nullptr;
  }

  /// Notes what the operation writes; false where it is not needed, as it has nothing to work on.
  static bool holds_data_after(Rank& rank, Op& op) {
    if (const auto* attend = std::get_if<AttendBackward>(&op.action)) {
      const int heads = rank.program->buffer(attend->dkv).heads;
      for (const Region& box : key_boxes(rank.program->tiles_of(*attend), attend->dkv, heads)) {
        rank.held[at(attend->dkv)].add(box);
      }
      return true;
    }
    if (const auto* add = std::get_if<Add>(&op.action)) {
      const Region to = add->to, from = add->from;
      if (!rank.held[at(from.buffer)].touches(from)) return false;
      if (!rank.held[at(to.buffer)].touches(to)) {
        if (rank.is_whole(to) && rank.is_whole(from)) {
          rank.names[at(to.buffer)] = from.buffer;
          return false;
        }
        op.action = Copy{.to = to, .from = from};
      }
    }
    if (const auto* copy = std::get_if<Copy>(&op.action); copy && copy->to.empty()) return false;
    for (const Access& a : accesses_of(*rank.program, op)) {
      if (a.writes) rank.held[at(a.region.buffer)].add(a.region);
    }
    return true;
  }

  /// Matches the sends to rank `r` with its receives.
  void receive(std::size_t r, const std::vector<Edge>& arriving, std::vector<Edge>& edges) {
    Rank& rank = ranks_[r];
    const auto& exchange = std::get<Exchange>(rank.program->ops[rank.cursor - 1].action);
    const auto listed = rank.program->receives(exchange);
    std::vector<Transfer> receives(listed.begin(), listed.end());
    std::stable_sort(receives.begin(), receives.end(), [](const auto& a, const auto& b) { return a.peer < b.peer; });
    if (receives.size() != arriving.size()) throw std::logic_error("prune: an exchange has unmatched messages");
    for (std::size_t k = 0; k < receives.size(); ++k) {
      Edge edge = arriving[k];
      edge.received = receives[k].region;
      edge.alive = ranks_[at(edge.from)].held[at(edge.sent.buffer)].touches(edge.sent);
      if (edge.alive) rank.held[at(edge.received.buffer)].add(edge.received);
      if (edge.alive) edges.push_back(edge);
    }
  }

  // --- Backward: what somebody reads. --------------------------------------------------------------------------------

  void keep_what_is_needed() {
    for (std::size_t n = edges_.size(); n-- > 0;) {
      for (Rank& rank : ranks_) retreat_to_exchange(rank);
      for (Edge& edge : edges_[n])
        edge.alive = ranks_[at(edge.to)].needed[at(edge.received.buffer)].touches(edge.received);
      for (const Edge& edge : edges_[n]) {
        if (edge.alive) need(ranks_[at(edge.from)], edge.sent, is_relayed(edge));
      }
    }
    for (Rank& rank : ranks_) retreat_to_exchange(rank);
  }

  /// Whole blocks may be passed on by somebody else; a piece of a buffer counts as read where it is cut.
  bool is_relayed(const Edge& edge) const {
    return ranks_[at(edge.from)].is_whole(edge.sent) && ranks_[at(edge.to)].is_whole(edge.received);
  }

  static void need(Rank& rank, const Region& region, bool relayed) {
    rank.needed[at(region.buffer)].add(region);
    if (!relayed) rank.read_here[at(region.buffer)] = 1;
  }

  static void retreat_to_exchange(Rank& rank) {
    while (rank.cursor > 0) {
      const std::size_t id = --rank.cursor;
      const Op& op = rank.program->ops[id];
      if (std::holds_alternative<Exchange>(op.action)) return;
      if (rank.dead[id]) continue;
      const std::vector<Access> accesses = accesses_of(*rank.program, op);
      const bool useful = std::any_of(accesses.begin(), accesses.end(), [&](const Access& a) {
        return a.writes && rank.needed[at(a.region.buffer)].touches(a.region);
      });
      rank.dead[id] = !useful && !accesses.empty();
      if (useful) need_operands(rank, op, accesses);
    }
  }

  static void need_operands(Rank& rank, const Op& op, const std::vector<Access>& accesses) {
    BufferId keys = kNoBuffer;
    std::span<const Tile> tiles;
    if (const auto* a = std::get_if<Attend>(&op.action)) keys = a->kv, tiles = rank.program->tiles_of(*a);
    if (const auto* a = std::get_if<AttendBackward>(&op.action)) keys = a->kv, tiles = rank.program->tiles_of(*a);
    for (const Access& a : accesses) {
      if (a.reads && a.region.buffer != keys) need(rank, a.region, false);
      if (a.writes) rank.read_here[at(a.region.buffer)] = 1;  // made here, not passed on
    }
    if (keys == kNoBuffer) return;
    for (const Region& box : key_boxes(tiles, keys, rank.program->buffer(keys).heads)) need(rank, box, false);
  }

  // --- Forward again: blocks that a rank only passes on. -------------------------------------------------------------

  /// Whoever needs a block that its sender only passes on gets it from where it was made. That rank holds it anyway,
  /// whereas an earlier reader would have to keep it for longer.
  void bypass_relays() {
    for (std::vector<Edge>& edges : edges_) {
      for (Edge& edge : edges) {
        if (!edge.alive || !is_relayed(edge)) continue;
        const Rank& sender = ranks_[at(edge.from)];
        Rank& receiver = ranks_[at(edge.to)];
        const Place origin = sender.origin[at(edge.sent.buffer)];
        receiver.origin[at(edge.received.buffer)] = origin;
        if (!sender.read_here[at(edge.sent.buffer)]) {
          edge.from = origin.rank;
          edge.sent = ranks_[at(origin.rank)].program->whole(origin.buffer);
        }
        if (edge.from == edge.to) {  // the block has come back to the rank that made it
          receiver.names[at(edge.received.buffer)] = receiver.names[at(edge.sent.buffer)];
          edge.alive = false;
        }
        if (!receiver.read_here[at(edge.received.buffer)]) edge.alive = false;
      }
    }
  }

  // --- The new programs.
  // ----------------------------------------------------------------------------------------------

  void rebuild() {
    std::vector<std::vector<Transfer>> sends(ranks_.size()), receives(ranks_.size());
    std::vector<std::vector<Op>> ops(ranks_.size());
    for (Rank& rank : ranks_) {
      rank.program->transfers.clear();
      rank.cursor = 0;
    }
    for (std::size_t n = 0; n <= edges_.size(); ++n) {
      if (n < edges_.size()) list_transfers(edges_[n], sends, receives);
      for (std::size_t r = 0; r < ranks_.size(); ++r) rebuild_to_exchange(ranks_[r], sends[r], receives[r], ops[r]);
    }
    for (std::size_t r = 0; r < ranks_.size(); ++r) ranks_[r].program->ops = std::move(ops[r]);
  }

  /// Both ends list their messages in the order of the edges, so that they match.
  void list_transfers(const std::vector<Edge>& edges, std::vector<std::vector<Transfer>>& sends,
                      std::vector<std::vector<Transfer>>& receives) const {
    for (const Edge& edge : edges) {
      if (!edge.alive) continue;
      Region sent = edge.sent;
      sent.buffer = ranks_[at(edge.from)].names[at(sent.buffer)];
      sends[at(edge.from)].push_back({edge.to, sent});
      receives[at(edge.to)].push_back({edge.from, edge.received});
    }
  }

  /// Appends the live operations up to the next exchange, and that if it still has messages.
  static void rebuild_to_exchange(Rank& rank, std::vector<Transfer>& sends, std::vector<Transfer>& receives,
                                  std::vector<Op>& ops) {
    Program& program = *rank.program;
    while (rank.cursor < program.ops.size()) {
      const std::size_t id = rank.cursor++;
      Op op = program.ops[id];
      if (auto* exchange = std::get_if<Exchange>(&op.action)) {
        exchange->sends = append_to(program.transfers, sends);
        exchange->receives = append_to(program.transfers, receives);
        if (exchange->sends.count + exchange->receives.count > 0) ops.push_back(op);
        return;
      }
      rename_buffers(program, op, rank.names);
      if (!rank.dead[id]) ops.push_back(op);
    }
  }

  static Slice append_to(std::vector<Transfer>& pool, std::vector<Transfer>& transfers) {
    const Slice slice{static_cast<std::uint32_t>(pool.size()), static_cast<std::uint32_t>(transfers.size())};
    pool.insert(pool.end(), transfers.begin(), transfers.end());
    transfers.clear();
    return slice;
  }

  std::vector<Rank> ranks_;
  std::vector<std::vector<Edge>> edges_;  ///< by ordinal of the exchange
};

}  // namespace

void prune(std::vector<Program>& programs) { Pruner(programs).run(); }

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
