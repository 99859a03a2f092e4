// Which pairs tiles hold: how many, and at the extremes. Counted by other means than those of shard/tile.hpp, which
// algorithms and kernels use.
#pragma once

#include "problem/problem.hpp"
#include "schedule/verify/ownership.hpp"
#include "shard/tile.hpp"

namespace cpbench::verification {

/// Pairs (i, j) with 0 <= i < q_count, 0 <= j < k_count and lo <= j - i <= hi, by summing arithmetic series.
int128 count_pairs(const Tile& tile);
/// Whether every pair of a tile is one that the problem allows. The tile lies within the rows of the two runs, which
/// may have any strides. Exact for the mask; documents must hold the tile's tokens from first to last.
bool all_allowed(const Problem& problem, const Tile& tile, const TokenRun& q, const TokenRun& k);

}  // namespace cpbench::verification
