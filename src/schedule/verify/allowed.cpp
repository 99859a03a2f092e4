#include "schedule/verify/allowed.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <vector>

#include "schedule/verify/band.hpp"

namespace cpbench::verification {
namespace {

/// Finds runs by row. Most tiles follow the one before, so it looks there first.
class RunFinder {
 public:
  using Run = std::vector<TokenRun>::const_iterator;
  explicit RunFinder(const std::vector<TokenRun>& runs) : runs_(runs), last_(runs.begin()) {}

  Run end() const { return runs_.end(); }
  /// The first run that reaches beyond `row`.
  Run from(std::int64_t row) {
    if (!is_from(last_, row) && (last_ == end() || !is_from(++last_, row))) {
      last_ = std::ranges::partition_point(runs_, [row](const TokenRun& r) { return r.row_end <= row; });
    }
    return last_;
  }

 private:
  bool is_from(Run run, std::int64_t row) const {
    return (run == end() || run->row_end > row) && (run == runs_.begin() || std::prev(run)->row_end <= row);
  }

  const std::vector<TokenRun>& runs_;
  Run last_;
};

/// Whether all pairs of the tile with these keys are allowed.
bool rows_allow(const Problem& problem, const Tile& t, RunFinder& rows, const TokenRun& k) {
  for (auto q = rows.from(t.q_begin); q != rows.end() && q->row_begin < t.q_end(); ++q) {
    const Tile part = keys_of(rows_of(t, q->row_begin, q->row_end), k.row_begin, k.row_end);
    if (!all_allowed(problem, part, *q, k)) return false;
  }
  return true;
}

}  // namespace

std::optional<std::string> find_forbidden(const Problem& problem, std::span<const Tile> tiles, const RowMap& rows,
                                          const RowMap& keys) {
  if (!keys.injective) return "two rows of kv hold the same keys";
  RunFinder row_runs(rows.tokens), key_runs(keys.tokens);
  for (const Tile& t : tiles) {
    const std::int64_t end = t.k_end();
    std::int64_t known = t.k_begin;  // rows before this one hold keys
    for (auto k = key_runs.from(known); k != key_runs.end() && k->row_begin <= known && known < end; ++k) {
      known = k->row_end;
      if (rows_allow(problem, t, row_runs, *k)) continue;
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
