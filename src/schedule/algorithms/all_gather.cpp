// All-gather of K/V, pipelined over groups of heads (as Llama 3 was trained): while one group's heads are attended, the
// next group's K/V of all ranks arrive; in the backward pass dK/dV are scattered back and summed meanwhile.
#include <algorithm>

#include "schedule/algorithms/operands.hpp"
#include "schedule/algorithms/sink_gradient.hpp"

namespace cpbench {
namespace {

/// More groups hide more of the first gather and need less memory, but make smaller messages.
constexpr int kMaxGroups = 8;

std::vector<HeadRange> kv_head_groups(int kv_heads) {
  const int groups = std::min(kv_heads, kMaxGroups);
  std::vector<HeadRange> ranges;
  for (int g = 0, begin = 0; g < groups; ++g) {
    const int count = kv_heads / groups + (g < kv_heads % groups ? 1 : 0);
    ranges.push_back({begin, count});
    begin += count;
  }
  return ranges;
}

/// One rank's program, in the making.
class AllGather {
 public:
  AllGather(const Case& c, const Shards& shards, int rank)
      : b_(c, shards.of_rank[static_cast<std::size_t>(rank)]),
        q_tokens_(shards.of_rank[static_cast<std::size_t>(rank)]),
        groups_(kv_head_groups(c.problem.kv_heads)),
        rank_(rank) {
    row_offsets_.push_back(0);
    for (const Tokens& tokens : shards.of_rank) {
      for (const Segment& s : tokens) append(all_tokens_, s);
      row_offsets_.push_back(row_offsets_.back() + count_of(tokens));
    }
  }

  void forward() {
    const OwnedBuffers own = b_.owned();
    const BufferId state = b_.state(b_.rows_of(own.q), b_.heads_of(own.q));
    BufferId next = gather(0);
    for (int g = 0; g < groups(); ++g) {
      const BufferId kv = next;
      if (g + 1 < groups()) next = gather(g + 1);
      b_.attend(label("attend", g),
                {.q = own.q,
                 .kv = kv,
                 .state = state,
                 .out = own.out,
                 .lse = own.lse,
                 .sink = own.sink,
                 .heads = heads(g),
                 .first = true,
                 .last = true,
                 .tiles = {}},
                q_tokens_, all_tokens_);
    }
  }

  void backward() {
    b_.begin_backward();
    const OwnedBuffers own = b_.owned();
    const BufferId delta = b_.row_scalar(Role::kDelta, b_.rows_of(own.q), b_.heads_of(own.q));
    b_.compute({"delta"}, Delta{.out = own.out, .dout = own.dout, .delta = delta});
    const BufferId dq = b_.dq_accumulator(b_.rows_of(own.q), b_.heads_of(own.q));
    const BufferId dkv = b_.kv_like(Role::kAccumulator, b_.gradient_dtype(), b_.rows_of(own.kv), b_.heads_of(own.kv));
    std::vector<Add> adds;  // of the group before: its parts arrive while this group is computed
    BufferId next = gather(0);
    for (int g = 0; g < groups(); ++g) {
      const BufferId kv = next;
      if (g + 1 < groups()) next = gather(g + 1);
      const BufferId gradient = gathered(Role::kAccumulator, b_.gradient_dtype(), g);
      b_.attend_backward(label("attend-backward", g),
                         {.q = own.q,
                          .kv = kv,
                          .dout = own.dout,
                          .lse = own.lse,
                          .delta = delta,
                          .dq = dq,
                          .dkv = gradient,
                          .heads = heads(g),
                          .first_dq = true,
                          .first_dkv = true,
                          .tiles = {}},
                         q_tokens_, all_tokens_);
      emit(adds, g - 1);
      adds = scatter(g, gradient, dkv);
    }
    emit(adds, groups() - 1);
    b_.compute({"round dq"}, Copy{.to = b_.whole(own.dq), .from = b_.whole(dq)});
    b_.compute({"round dkv"}, Copy{.to = b_.whole(own.dkv), .from = b_.whole(dkv)});
    sum_sink_gradient(b_,
                      {.q = own.q,
                       .kv = own.kv,
                       .out = own.out,
                       .lse = own.lse,
                       .sink = own.sink,
                       .heads = {.q_begin = 0, .count = b_.problem().heads, .q_global = 0, .kv_global = 0},
                       .dout = own.dout,
                       .delta = delta},
                      rank_);
  }

  Program take() { return b_.take(); }

 private:
  int groups() const { return static_cast<int>(groups_.size()); }
  int peers() const { return static_cast<int>(row_offsets_.size()) - 1; }
  const HeadRange& kv_heads(int g) const { return groups_[static_cast<std::size_t>(g)]; }
  static Label label(const char* text, int g) { return {text, g}; }

  HeadMap heads(int g) const {
    const int first = kv_heads(g).begin * b_.problem().group();
    return {.q_begin = first,
            .count = kv_heads(g).count * b_.problem().group(),
            .q_global = first,
            .kv_global = kv_heads(g).begin};
  }

  /// A buffer for all tokens of a group's K/V heads.
  BufferId gathered(Role role, DType dtype, int g) {
    return b_.kv_like(role, dtype, row_offsets_.back(), kv_heads(g).count);
  }

  Region rows_of(BufferId gathered, int peer) const {
    const std::int64_t begin = row_offsets_[static_cast<std::size_t>(peer)];
    return {gathered, 0, b_.heads_of(gathered), begin, row_offsets_[static_cast<std::size_t>(peer) + 1] - begin};
  }
  Region own_heads(BufferId own, int g) const {
    return {own, kv_heads(g).begin, kv_heads(g).count, 0, b_.rows_of(own)};
  }

  BufferId gather(int g) {
    const BufferId kv = gathered(Role::kKv, b_.problem().dtype, g);
    std::vector<Transfer> sends, receives;
    for (int peer = 0; peer < peers(); ++peer) {
      sends.push_back({peer, own_heads(b_.owned().kv, g)});
      receives.push_back({peer, rows_of(kv, peer)});
    }
    b_.exchange(label("gather kv", g), Stream::kInner, sends, receives);
    return kv;
  }

  /// Sends every rank its rows of the group's gradient. The rank's own part comes straight into `sum`; returns the
  /// additions of the others.
  std::vector<Add> scatter(int g, BufferId gradient, BufferId sum) {
    std::vector<Transfer> sends, receives;
    std::vector<Add> adds;
    for (int peer = 0; peer < peers(); ++peer) {
      sends.push_back({peer, rows_of(gradient, peer)});
      if (peer == rank_) {
        receives.push_back({peer, own_heads(sum, g)});
        continue;
      }
      const BufferId part = b_.kv_like(Role::kAccumulator, b_.gradient_dtype(), b_.rows_of(sum), kv_heads(g).count);
      receives.push_back({peer, b_.whole(part)});
      adds.push_back({.to = own_heads(sum, g), .from = b_.whole(part)});
    }
    b_.exchange(label("scatter dkv", g), Stream::kGradient, sends, receives);
    return adds;
  }

  void emit(const std::vector<Add>& adds, int g) {
    for (const Add& add : adds) b_.compute(label("add dkv", g), add);
  }

  ProgramBuilder b_;
  const Tokens& q_tokens_;
  Tokens all_tokens_;  ///< of all ranks, in rank order: the rows of gathered buffers
  std::vector<std::int64_t> row_offsets_;
  std::vector<HeadRange> groups_;
  int rank_;
};

Program all_gather_program(const Case& c, const Shards& shards, int rank) {
  AllGather program(c, shards, rank);
  program.forward();
  if (c.pass != Pass::kForward) program.backward();
  return program.take();
}

const RegisterAlgorithm kRegistered({.name = "all-gather",
                                     .has_ulysses_level = false,
                                     .ring = RingLevel::kPlain,
                                     .default_shard = ShardKind::kContiguous,
                                     .program = all_gather_program});

}  // namespace
}  // namespace cpbench
