#include "schedule/verify/band.hpp"

#include <algorithm>

namespace cpbench::verification {
namespace {

/// The sum of min(v, limit) over 0 < v <= x.
int128 ramp(int128 x, int128 limit) {
  if (x <= 0) return 0;
  if (x <= limit) return x * (x + 1) / 2;
  return limit * (limit + 1) / 2 + (x - limit) * limit;
}

/// Pairs with j - i <= hi: row i has its first i + hi + 1 keys, cut to 0 ... k_count.
int128 pairs_up_to(const Tile& t, std::int64_t hi) {
  return ramp(int128{hi} + t.q_count, t.k_count) - ramp(hi, t.k_count);
}

/// Rows with at least one key; needs lo <= hi.
struct Rows {
  std::int64_t first, last;
};
Rows rows_with_keys(const Tile& t) {
  return {std::max<std::int64_t>(0, -t.hi), std::min(t.q_count - 1, t.k_count - 1 - t.lo)};
}

}  // namespace

int128 count_pairs(const Tile& t) {
  if (t.q_count == 0 || t.k_count == 0 || t.lo > t.hi) return 0;
  return pairs_up_to(t, t.hi) - pairs_up_to(t, t.lo - 1);
}

bool all_allowed(const Problem& problem, const Tile& t, const TokenRun& q, const TokenRun& k) {
  if (count_pairs(t) == 0) return true;
  const Rows rows = rows_with_keys(t);
  const auto q_at = [&](std::int64_t i) { return q.first + (t.q_begin + i - q.row_begin) * q.stride; };
  const auto k_at = [&](std::int64_t j) { return k.first + (t.k_begin + j - k.row_begin) * k.stride; };
  const auto last_key = [&](std::int64_t i) { return std::min(t.k_count - 1, i + t.hi); };
  const auto first_key = [&](std::int64_t i) { return std::max<std::int64_t>(0, i + t.lo); };
  // The distance from a row to its last key is linear in the row up to where that key stays, and linear from there on;
  // so is the distance to its first key. Extremes are at the ends or at the bend.
  for (const std::int64_t i : {rows.first, rows.last, std::clamp(t.k_count - 1 - t.hi, rows.first, rows.last),
                               std::clamp(-t.lo, rows.first, rows.last)}) {
    if (!problem.mask.allows(q_at(i), k_at(last_key(i))) || !problem.mask.allows(q_at(i), k_at(first_key(i)))) {
      return false;
    }
  }
  const Documents& documents = problem.documents;
  if (documents.count() == 1) return true;
  const TokenRange document = documents.range(documents.index_of(q_at(rows.first)));
  return q_at(rows.last) < document.end && k_at(first_key(rows.first)) >= document.begin &&
         k_at(last_key(rows.last)) < document.end;
}

}  // namespace cpbench::verification
