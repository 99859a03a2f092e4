#include "schedule/verify/allowed.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "schedule/verify/band.hpp"

namespace cpbench::verification {
namespace {

/// The first run that reaches beyond `row`.
auto run_from(const std::vector<TokenRun>& runs, std::int64_t row) {
  return std::ranges::partition_point(runs, [row](const TokenRun& r) { return r.row_end <= row; });
}

/// Whether all pairs of the tile with these keys are allowed.
bool rows_allow(const Problem& problem, const Tile& t, const RowMap& rows, const TokenRun& k) {
  for (auto q = run_from(rows.tokens, t.q_begin); q != rows.tokens.end() && q->row_begin < t.q_begin + t.q_count; ++q) {
    if (!all_allowed(problem, clip(t, q->row_begin, q->row_end, k.row_begin, k.row_end), *q, k)) return false;
  }
  return true;
}

}  // namespace

std::optional<std::string> find_forbidden(const Problem& problem, std::span<const Tile> tiles, const RowMap& rows,
                                          const RowMap& keys) {
  if (!keys.injective) return "two rows of kv hold the same keys";
  for (const Tile& t : tiles) {
    const std::int64_t end = t.k_begin + t.k_count;
    std::int64_t known = t.k_begin;  // rows before this one hold keys
    for (auto k = run_from(keys.tokens, known); k != keys.tokens.end() && k->row_begin <= known && known < end; ++k) {
      known = k->row_end;
      if (rows_allow(problem, t, rows, *k)) continue;
      return fmt::format(
          "attends pairs that the mask or the documents forbid: tile q [{}, +{}), k [{}, +{}), band [{}, {}]",
          t.q_begin, t.q_count, t.k_begin, t.k_count, t.lo, t.hi);
    }
    if (known >= end) continue;
    return fmt::format("attends row {} of kv, which does not hold the K/V heads that the head map reads", known);
  }
  return std::nullopt;
}

}  // namespace cpbench::verification
