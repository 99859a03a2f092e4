// An algorithm that the program does not have, added from outside: every rank gets each other rank's K/V block straight
// from its owner, and sends the block's gradient straight back.
#include "schedule/algorithms/sink_gradient.hpp"

namespace cpbench {
namespace {

class Pairwise {
 public:
  Pairwise(const Case& c, const Shards& shards, int rank)
      : b_(c, shards.of_rank[static_cast<std::size_t>(rank)]), tokens_(shards.of_rank), rank_(rank) {
    const OwnedBuffers own = b_.owned();
    x_ = {.q = own.q,
          .kv = own.kv,
          .out = own.out,
          .lse = own.lse,
          .sink = own.sink,
          .heads = {.q_begin = 0, .count = c.problem.heads, .q_global = 0, .kv_global = 0},
          .dout = own.dout};
  }

  void forward() {
    const BufferId state = b_.state(b_.rows_of(x_.q), x_.heads.count);
    for (int step = 0; step < ranks(); ++step) {
      b_.attend({"attend", step},
                {.q = x_.q,
                 .kv = block_of(step),
                 .state = state,
                 .out = x_.out,
                 .lse = x_.lse,
                 .sink = x_.sink,
                 .heads = x_.heads,
                 .first = step == 0,
                 .last = step + 1 == ranks(),
                 .tiles = {}},
                tokens_of(0), tokens_of(step));
    }
  }

  void backward() {
    b_.begin_backward();
    const OwnedBuffers own = b_.owned();
    x_.delta = b_.row_scalar(Role::kDelta, b_.rows_of(own.q), x_.heads.count);
    b_.compute({"delta"}, Delta{.out = own.out, .dout = own.dout, .delta = x_.delta});
    const BufferId dq = b_.dq_accumulator(b_.rows_of(own.q), x_.heads.count);
    BufferId own_sum = kNoBuffer;
    for (int step = 0; step < ranks(); ++step) {
      const BufferId sum = gradient_of(step);
      b_.attend_backward({"attend-backward", step},
                         {.q = own.q,
                          .kv = block_of(step),
                          .dout = own.dout,
                          .lse = own.lse,
                          .delta = x_.delta,
                          .dq = dq,
                          .dkv = sum,
                          .heads = x_.heads,
                          .first_dq = step == 0,
                          .first_dkv = true,
                          .tiles = {}},
                         tokens_of(0), tokens_of(step));
      if (step == 0) {
        own_sum = sum;
        continue;
      }
      const BufferId part = gradient_of(0);
      b_.exchange({"return dkv", step}, Stream::kGradient, {{peer(step), b_.whole(sum)}},
                  {{peer(-step), b_.whole(part)}});
      b_.compute({"add dkv", step}, Add{.to = b_.whole(own_sum), .from = b_.whole(part)});
    }
    b_.compute({"round dq"}, Copy{.to = b_.whole(own.dq), .from = b_.whole(dq)});
    b_.compute({"round dkv"}, Copy{.to = b_.whole(own.dkv), .from = b_.whole(own_sum)});
    sum_sink_gradient(b_, x_, rank_);
  }

  Program take() { return b_.take(); }

 private:
  int ranks() const { return static_cast<int>(tokens_.size()); }
  int peer(int distance) const { return (rank_ + distance + ranks()) % ranks(); }
  const Tokens& tokens_of(int distance) const { return tokens_[static_cast<std::size_t>(peer(distance))]; }
  BufferId gradient_of(int distance) {
    return b_.kv_like(Role::kAccumulator, b_.gradient_dtype(), count_of(tokens_of(distance)), b_.heads_of(x_.kv));
  }

  /// The block of the rank at that distance, whose owner sends it now, while this rank sends its own the other way.
  BufferId block_of(int distance) {
    if (distance == 0) return x_.kv;
    const BufferId block = b_.kv_like(Role::kKv, b_.problem().dtype, count_of(tokens_of(distance)), b_.heads_of(x_.kv));
    b_.exchange({"fetch kv", distance}, Stream::kInner, {{peer(-distance), b_.whole(x_.kv)}},
                {{peer(distance), b_.whole(block)}});
    return block;
  }

  ProgramBuilder b_;
  const std::vector<Tokens>& tokens_;
  int rank_;
  Operands x_{};
};

Program pairwise_program(const Case& c, const Shards& shards, int rank) {
  Pairwise program(c, shards, rank);
  program.forward();
  if (c.pass != Pass::kForward) program.backward();
  return program.take();
}

const RegisterAlgorithm kRegistered({.name = "pairwise",
                                     .has_ulysses_level = false,
                                     .ring = RingLevel::kPlain,
                                     .default_shard = ShardKind::kZigzag,
                                     .program = pairwise_program});

}  // namespace
}  // namespace cpbench
