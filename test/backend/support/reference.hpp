// Attention by definition, pair by pair, over a list of tiles: what every kernel is compared with.
#pragma once

#include <span>
#include <vector>

#include "backend/support/dense.hpp"
#include "schedule/program.hpp"
#include "shard/tile.hpp"

namespace cpbench::test {

struct AttentionInputs {
  Dense q, k, v, dout;
  std::vector<float> sink;  ///< by global query head; empty without sinks
  HeadMap heads;
  int group;
  double scale;
  std::vector<Tile> tiles;
};

struct AttentionResults {
  Dense out, lse;    ///< lse [batch, rows, heads, 1]
  Dense dq, dk, dv;  ///< of the heads in the head map; zero elsewhere
};

/// Computes in `Real` throughout, P and dS being rounded to `rounding` before they are multiplied by V, dout, Q and K.
/// Real = double, kFp32 is the truth; Real = float is the straightforward computation whose error sets the tolerance.
/// The backward pass takes lse and delta from `truth` where there is one, as kernels are given them.
template <typename Real>
AttentionResults attend_by_definition(const AttentionInputs& inputs, DType rounding,
                                      const AttentionResults* truth = nullptr);

/// rowsum(out * dout): [batch, rows, heads, 1].
Dense delta_of(const Dense& out, const Dense& dout);

}  // namespace cpbench::test
