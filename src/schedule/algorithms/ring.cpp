#include "schedule/algorithms/ring.hpp"

namespace cpbench {
namespace {

/// Step numbers as the timeline shows them: one for a plain ring, window.step for a double ring.
Label label(const Ring& ring, const char* text, int window, int step) {
  if (ring.grid.outer == 1) return {text, step};
  return {text, window, step};
}

/// A block of K/V goes from `source` to this rank, while `block` goes to `destination`.
BufferId hop(ProgramBuilder& b, Label text, Stream stream, BufferId block, int destination, int source,
             const Tokens& incoming) {
  const BufferId next = b.kv_like(Role::kKv, b.problem().dtype, count_of(incoming), b.heads_of(block));
  b.exchange(text, stream, {{destination, b.whole(block)}}, {{source, b.whole(next)}});
  return next;
}

BufferId gradient_of_block(ProgramBuilder& b, const Operands& x, const Tokens& tokens) {
  return b.kv_like(Role::kAccumulator, b.gradient_dtype(), count_of(tokens), b.heads_of(x.kv));
}

/// What step (j, s) of the backward pass adds to dQ and to the gradient of its block, of which earlier visitors summed
/// up `incoming`. Returns the sum.
BufferId add_gradients(ProgramBuilder& b, const Ring& ring, const Operands& x, int j, int s, BufferId block,
                       BufferId dq, BufferId incoming) {
  const Tokens& tokens = ring.tokens_at(j + 1, s + 1);
  const BufferId sum = gradient_of_block(b, x, tokens);
  b.attend_backward(label(ring, "attend-backward", j, s),
                    {.q = x.q,
                     .kv = block,
                     .dout = x.dout,
                     .lse = x.lse,
                     .delta = x.delta,
                     .dq = dq,
                     .dkv = sum,
                     .heads = x.heads,
                     .first_dq = j == 0 && s == 0,
                     .first_dkv = true,
                     .tiles = {}},
                    ring.tokens_at(0, 0), tokens);
  if (incoming != kNoBuffer) {
    b.compute(label(ring, "add dkv", j, s), Add{.to = b.whole(sum), .from = b.whole(incoming)});
  }
  return sum;
}

/// After step (j, s) its block's gradient goes to the next visitor. Returns that of the next step's block.
BufferId pass_gradient_on(ProgramBuilder& b, const Ring& ring, const Operands& x, int j, int s, BufferId sum) {
  // The next visitor is one index back, and after a window's last step one window back as well.
  const int across = s + 1 == ring.grid.inner ? 1 : 0;
  const BufferId incoming = gradient_of_block(b, x, ring.tokens_at(j + 1 + across, s + 2));
  b.exchange(label(ring, "dkv hop", j, s), Stream::kGradient, {{ring.rank_at(-across, -1), b.whole(sum)}},
             {{ring.rank_at(across, 1), b.whole(incoming)}});
  return incoming;
}

}  // namespace

Ring::Ring(const Grid& g, const Shards& shards, int rank)
    : grid(g),
      tokens(shards.of_position),
      place(g.place_of(rank)),
      window(g.ring_position_of(rank) / g.inner),
      index(g.ring_position_of(rank) % g.inner) {}

int Ring::position_at(int windows, int indices) const {
  const int w = ((window + windows) % grid.outer + grid.outer) % grid.outer;
  const int i = ((index + indices) % grid.inner + grid.inner) % grid.inner;
  return w * grid.inner + i;
}

BufferId ring_forward(ProgramBuilder& b, const Ring& ring, const Operands& x) {
  const int windows = ring.grid.outer, steps = ring.grid.inner;
  const BufferId state = b.state(b.rows_of(x.q), x.heads.count);
  BufferId window_start = x.kv, block = x.kv;
  for (int j = 0; j < windows; ++j) {
    const bool last_window = j + 1 == windows;
    block = window_start;
    if (!last_window) {
      window_start = hop(b, label(ring, "kv to next window", j, 0), Stream::kOuter, block, ring.rank_at(1, 0),
                         ring.rank_at(-1, 0), ring.tokens_at(-j - 1, 0));
    }
    for (int s = 0; s < steps; ++s) {
      const bool last_step = s + 1 == steps;
      BufferId next = kNoBuffer;
      if (!last_step) {
        next = hop(b, label(ring, "kv hop", j, s), Stream::kInner, block, ring.rank_at(0, 1), ring.rank_at(0, -1),
                   ring.tokens_at(-j, -s - 1));
      }
      b.attend(label(ring, "attend", j, s),
               {.q = x.q,
                .kv = block,
                .state = state,
                .out = x.out,
                .lse = x.lse,
                .sink = x.sink,
                .heads = x.heads,
                .first = j == 0 && s == 0,
                .last = last_window && last_step,
                .tiles = {}},
               ring.tokens_at(0, 0), ring.tokens_at(-j, -s));
      if (!last_step) block = next;
    }
  }
  return block;
}

Gradients ring_backward(ProgramBuilder& b, const Ring& ring, const Operands& x, BufferId last_block) {
  const int windows = ring.grid.outer, steps = ring.grid.inner;
  const BufferId dq = b.dq_accumulator(b.rows_of(x.q), x.heads.count);
  BufferId window_start = last_block;
  BufferId incoming = kNoBuffer, sum = kNoBuffer;
  for (int j = 0; j < windows; ++j) {
    const bool last_window = j + 1 == windows;
    BufferId block = window_start;
    // The last step's block is the rank's own, which never left.
    if (!last_window) {
      window_start = j + 2 == windows && steps == 1
                         ? x.kv
                         : hop(b, label(ring, "kv to previous window", j, 0), Stream::kOuter, block,
                               ring.rank_at(-1, 0), ring.rank_at(1, 0), ring.tokens_at(j + 2, 1));
    }
    for (int s = 0; s < steps; ++s) {
      const bool last_step = s + 1 == steps, next_is_own = last_window && s + 2 == steps;
      BufferId next = kNoBuffer;
      if (!last_step) {
        next = next_is_own ? x.kv
                           : hop(b, label(ring, "kv hop", j, s), Stream::kInner, block, ring.rank_at(0, -1),
                                 ring.rank_at(0, 1), ring.tokens_at(j + 1, s + 2));
      }
      sum = add_gradients(b, ring, x, j, s, block, dq, incoming);
      if (!last_window || !last_step) incoming = pass_gradient_on(b, ring, x, j, s, sum);
      if (!last_step) block = next;
    }
  }
  return {dq, sum};
}

}  // namespace cpbench
