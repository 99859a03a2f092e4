// The work of an attention step: rectangles of (query row, key row) with a band.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
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

  std::int64_t q_end() const { return q_begin + q_count; }
  std::int64_t k_end() const { return k_begin + k_count; }
  /// Every pair of the rectangle is attended: no mask needed.
  bool full() const { return lo <= -(q_count - 1) && hi >= k_count - 1; }
  /// First and one-past-last key row (relative to k_begin) that query row i (relative to q_begin) sees; may be empty.
  std::int64_t key_begin(std::int64_t i) const { return i + lo > 0 ? i + lo : 0; }
  std::int64_t key_end(std::int64_t i) const { return i + hi + 1 < k_count ? i + hi + 1 : k_count; }
  bool operator==(const Tile&) const = default;
};

/// The same pairs with queries and keys in each other's places.
inline Tile transposed(const Tile& t) { return {t.k_begin, t.k_count, t.q_begin, t.q_count, -t.hi, -t.lo}; }

/// The part of a tile within query rows [begin, end), or within key rows; a count is 0 where nothing is left. What is
/// left need not be canonical.
inline Tile rows_of(const Tile& t, std::int64_t begin, std::int64_t end) {
  begin = std::max(begin, t.q_begin);
  end = std::min(end, t.q_end());
  const std::int64_t shift = begin - t.q_begin;
  return {begin, std::max<std::int64_t>(0, end - begin), t.k_begin, t.k_count, t.lo + shift, t.hi + shift};
}
inline Tile keys_of(const Tile& t, std::int64_t begin, std::int64_t end) {
  return transposed(rows_of(transposed(t), begin, end));
}

/// Rows [begin, end) of a buffer.
struct RowSpan {
  std::int64_t begin = 0, end = 0;
  std::int64_t count() const { return end - begin; }
};
/// From the first query row, or key row, that a tile touches to the last; [0, 0) without tiles.
RowSpan query_span(std::span<const Tile> tiles);
RowSpan key_span(std::span<const Tile> tiles);

/// Attended pairs: closed form, exact.
int128 pairs_of(const Tile& tile);
int128 pairs_of(std::span<const Tile> tiles);

/// The tiles of queries `q` against keys `k` under the problem's mask and documents: every allowed pair exactly once.
/// For two segments of equal stride t with first tokens q0 and k0 the band is hi = floor((q0 - k0 + right) / t),
/// lo = ceil((q0 - k0 - left) / t). A segment of one token takes its partner's stride; of two longer segments with
/// unequal strides the shorter is taken token by token. Documents cut segments first. Empty tiles are dropped.
std::vector<Tile> tiles_of(const Tokens& q, const Tokens& k, const Mask& mask, const Documents& documents);

}  // namespace cpbench
