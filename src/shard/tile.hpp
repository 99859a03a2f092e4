// The work of an attention step: rectangles of (query row, key row) with a band.
#pragma once

#include <cstdint>
#include <vector>

#include "problem/counts.hpp"
#include "problem/problem.hpp"
#include "shard/segment.hpp"

namespace cpbench {

/// Query row q_begin + i sees key row k_begin + j iff i + lo <= j <= i + hi, for 0 <= i < q_count, 0 <= j < k_count.
/// Rows are local to the operands' buffers. Canonical tiles are trimmed (every row and column has a pair, see
/// tiles_of) and their band is clamped to what the rectangle can hold: lo >= -(q_count - 1), hi <= k_count - 1.
struct Tile {
  std::int64_t q_begin, q_count, k_begin, k_count;
  std::int64_t lo, hi;

  /// Every pair of the rectangle is attended: no mask needed.
  bool full() const { return lo <= -(q_count - 1) && hi >= k_count - 1; }
  /// First and one-past-last key row (relative to k_begin) that query row i (relative to q_begin) sees; may be empty.
  std::int64_t key_begin(std::int64_t i) const { return i + lo > 0 ? i + lo : 0; }
  std::int64_t key_end(std::int64_t i) const { return i + hi + 1 < k_count ? i + hi + 1 : k_count; }
  bool operator==(const Tile&) const = default;
};

/// Attended pairs of a tile: closed form, exact.
int128 pairs_of(const Tile& tile);
int128 pairs_of(const std::vector<Tile>& tiles);

/// The tiles of queries `q` against keys `k` under the problem's mask and documents: every allowed pair exactly once.
/// For two segments of equal stride t with first tokens q0 and k0 the band is hi = floor((q0 - k0 + right) / t),
/// lo = ceil((q0 - k0 - left) / t). A segment of one token takes its partner's stride; of two longer segments with
/// unequal strides the shorter is taken token by token. Documents cut segments first. Empty tiles are dropped.
std::vector<Tile> tiles_of(const Tokens& q, const Tokens& k, const Mask& mask, const Documents& documents);

}  // namespace cpbench
