#include "schedule/algorithms/ulysses.hpp"

#include <algorithm>

namespace cpbench {
namespace {

/// Lists the transfers of an all-to-all between sequence shards (all heads of a rank's own rows) and head shards (a
/// place's heads of all the group's rows).
class AllToAll {
 public:
  AllToAll(ProgramBuilder& builder, const UlyssesGroup& group) : b_(builder), group_(group) {}

  /// `owned` (by heads[p]) goes to place p; `gathered` comes from the places' rows.
  void gather(BufferId owned, BufferId gathered, const std::vector<HeadRange>& heads) {
    for (int p = 0; p < group_.degree(); ++p) {
      sends_.push_back({rank(p), heads_of(owned, heads[at(p)])});
      receives_.push_back({rank(p), rows_of(gathered, p, all_heads(gathered))});
    }
  }
  /// The way back: each place's rows of `gathered` go to it; its heads come into `owned`.
  void scatter(BufferId gathered, BufferId owned, const std::vector<HeadRange>& heads) {
    for (int p = 0; p < group_.degree(); ++p) {
      send_rows(gathered, p, all_heads(gathered));
      receive(p, heads_of(owned, heads[at(p)]));
    }
  }
  void send_rows(BufferId gathered, int p, HeadRange heads) {
    sends_.push_back({rank(p), rows_of(gathered, p, heads)});
  }
  void receive(int p, const Region& region) { receives_.push_back({rank(p), region}); }
  void emit(const char* text) {
    b_.exchange({text}, Stream::kInner, sends_, receives_);
    sends_.clear();
    receives_.clear();
  }

  Region heads_of(BufferId owned, HeadRange heads) const {
    return {owned, heads.begin, heads.count, 0, b_.rows_of(owned)};
  }

 private:
  static std::size_t at(int p) { return static_cast<std::size_t>(p); }
  int rank(int p) const { return group_.ranks[at(p)]; }
  HeadRange all_heads(BufferId id) const { return {0, b_.heads_of(id)}; }
  Region rows_of(BufferId gathered, int p, HeadRange heads) const {
    const std::int64_t begin = group_.row_offsets[at(p)];
    return {gathered, heads.begin, heads.count, begin, group_.row_offsets[at(p) + 1] - begin};
  }

  ProgramBuilder& b_;
  const UlyssesGroup& group_;
  std::vector<Transfer> sends_, receives_;
};

HeadRange my(const std::vector<HeadRange>& ranges, const UlyssesGroup& group) {
  return ranges[static_cast<std::size_t>(group.place)];
}

/// How many of a place's K/V heads are held by places before it too: a prefix, as the ranges ascend.
std::vector<int> shared_heads(const UlyssesGroup& group) {
  std::vector<int> shared;
  int held = 0;  // heads below this one
  for (const HeadRange& heads : group.kv_heads) {
    shared.push_back(std::clamp(held - heads.begin, 0, heads.count));
    held = heads.end();
  }
  return shared;
}

/// dK/dV back to the owners of the rows. The first place that holds a head sends it straight into `sum`, later ones
/// into buffers that are to be added. Returns these additions.
std::vector<Add> scatter_kv_gradient(ProgramBuilder& b, const UlyssesGroup& group, AllToAll& exchange,
                                     BufferId gradient, BufferId sum) {
  const std::vector<int> shared = shared_heads(group);
  const int mine = shared[static_cast<std::size_t>(group.place)];
  std::vector<Add> adds;
  for (int p = 0; p < group.degree(); ++p) {
    exchange.send_rows(gradient, p, {mine, b.heads_of(gradient) - mine});
    exchange.send_rows(gradient, p, {0, mine});
    const HeadRange heads = group.kv_heads[static_cast<std::size_t>(p)];
    const int late = shared[static_cast<std::size_t>(p)];
    exchange.receive(p, exchange.heads_of(sum, {heads.begin + late, heads.count - late}));
    if (late == 0) continue;
    const BufferId part = b.kv_like(Role::kAccumulator, b.gradient_dtype(), b.rows_of(sum), late);
    exchange.receive(p, b.whole(part));
    adds.push_back({.to = exchange.heads_of(sum, {heads.begin, late}), .from = b.whole(part)});
  }
  return adds;
}

}  // namespace

UlyssesGroup::UlyssesGroup(const Case& c, const Shards& shards, int rank) : place(c.grid.place_of(rank)) {
  const int degree = c.grid.ulysses, heads = c.problem.heads, group = c.problem.group();
  row_offsets.push_back(0);
  for (int p = 0, begin = 0; p < degree; ++p) {
    ranks.push_back(c.grid.rank_of(p, c.grid.ring_position_of(rank)));
    row_offsets.push_back(row_offsets.back() + count_of(shards.of_rank[static_cast<std::size_t>(ranks.back())]));
    const int count = heads / degree + (p < heads % degree ? 1 : 0);
    q_heads.push_back({begin, count});
    begin += count;
    const int first_kv = q_heads.back().begin / group, last_kv = (q_heads.back().end() - 1) / group;
    kv_heads.push_back({first_kv, last_kv - first_kv + 1});
  }
}

Operands gather_operands(ProgramBuilder& b, const UlyssesGroup& group) {
  const OwnedBuffers& own = b.owned();
  const HeadRange q_heads = my(group.q_heads, group), kv_heads = my(group.kv_heads, group);
  Operands x{.q = own.q,
             .kv = own.kv,
             .out = own.out,
             .lse = own.lse,
             .sink = own.sink,
             .heads = {.q_begin = 0, .count = q_heads.count, .q_global = q_heads.begin, .kv_global = kv_heads.begin}};
  if (group.degree() == 1) return x;
  x.q = b.q_like(Role::kQ, group.rows(), q_heads.count);
  x.kv = b.kv_like(Role::kKv, b.problem().dtype, group.rows(), kv_heads.count);
  x.out = b.out_like(Role::kOut, group.rows(), q_heads.count);
  x.lse = b.row_scalar(Role::kLse, group.rows(), q_heads.count);
  AllToAll exchange(b, group);
  exchange.gather(own.q, x.q, group.q_heads);
  exchange.gather(own.kv, x.kv, group.kv_heads);
  exchange.emit("all-to-all qkv");
  return x;
}

void return_results(ProgramBuilder& b, const UlyssesGroup& group, const Operands& x) {
  if (group.degree() == 1) return;
  AllToAll exchange(b, group);
  exchange.scatter(x.out, b.owned().out, group.q_heads);
  exchange.scatter(x.lse, b.owned().lse, group.q_heads);
  exchange.emit("all-to-all out");
}

void gather_output_gradient(ProgramBuilder& b, const UlyssesGroup& group, Operands& x) {
  x.dout = b.owned().dout;
  if (group.degree() > 1) {
    x.dout = b.out_like(Role::kDout, group.rows(), x.heads.count);
    AllToAll exchange(b, group);
    exchange.gather(b.owned().dout, x.dout, group.q_heads);
    exchange.emit("all-to-all dout");
  }
  x.delta = b.row_scalar(Role::kDelta, b.rows_of(x.q), x.heads.count);
  b.compute({"delta"}, Delta{.out = x.out, .dout = x.dout, .delta = x.delta});
}

void return_gradients(ProgramBuilder& b, const UlyssesGroup& group, const Gradients& g) {
  const OwnedBuffers& own = b.owned();
  if (group.degree() == 1) {
    b.compute({"round dq"}, Copy{.to = b.whole(own.dq), .from = b.whole(g.dq)});
    b.compute({"round dkv"}, Copy{.to = b.whole(own.dkv), .from = b.whole(g.dkv)});
    return;
  }
  AllToAll exchange(b, group);
  const BufferId dq = b.q_like(Role::kDq, group.rows(), b.heads_of(g.dq));
  b.compute({"round dq"}, Copy{.to = b.whole(dq), .from = b.whole(g.dq)});
  exchange.scatter(dq, own.dq, group.q_heads);

  const std::vector<int> shared = shared_heads(group);
  const bool replicated = std::ranges::any_of(shared, [](int count) { return count > 0; });
  if (!replicated) {
    const BufferId dkv = b.kv_like(Role::kDkv, b.problem().dtype, group.rows(), b.heads_of(g.dkv));
    b.compute({"round dkv"}, Copy{.to = b.whole(dkv), .from = b.whole(g.dkv)});
    scatter_kv_gradient(b, group, exchange, dkv, own.dkv);
    exchange.emit("all-to-all gradients");
    return;
  }
  const BufferId sum = b.kv_like(Role::kAccumulator, b.gradient_dtype(), b.rows_of(own.dkv), b.problem().kv_heads);
  const std::vector<Add> adds = scatter_kv_gradient(b, group, exchange, g.dkv, sum);
  exchange.emit("all-to-all gradients");
  for (const Add& add : adds) b.compute({"sum dkv"}, add);
  b.compute({"round dkv"}, Copy{.to = b.whole(own.dkv), .from = b.whole(sum)});
}

}  // namespace cpbench
