// Geometry of tiles: cutting them, counting their pairs, and which pairs they hold at the extremes.
#pragma once

#include "problem/problem.hpp"
#include "schedule/verify/ownership.hpp"
#include "shard/tile.hpp"

namespace cpbench::verification {

/// The same pairs with queries and keys in each other's places.
Tile transposed(const Tile& tile);
/// The part of a tile within q rows [q_begin, q_end) and k rows [k_begin, k_end); a count is 0 where nothing is left.
Tile clip(const Tile& tile, std::int64_t q_begin, std::int64_t q_end, std::int64_t k_begin, std::int64_t k_end);
/// Pairs (i, j) with 0 <= i < q_count, 0 <= j < k_count and lo <= j - i <= hi, by summing arithmetic series.
int128 count_pairs(const Tile& tile);
/// Whether every pair of a tile is one that the problem allows. The tile lies within the rows of the two runs, which
/// may have any strides. Exact for the mask; documents must hold the tile's tokens from first to last.
bool all_allowed(const Problem& problem, const Tile& tile, const TokenRun& q, const TokenRun& k);

}  // namespace cpbench::verification
