// Which rows of a tensor are wrong: it says what to look for.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "problem/problem.hpp"
#include "support/collective.hpp"
#include "validate/norms.hpp"

namespace cpbench {

struct CheckedRow {
  RowId id;
  RowError error;
};

/// Of all ranks.
struct WrongRows {
  std::int64_t checked = 0;
  std::vector<double> by_batch, by_head, by_rank;  ///< how many each has
  std::int64_t first_token = 0, last_token = 0;
  CheckedRow first = {};  ///< by batch, token and head

  std::int64_t count() const;
  /// `96 of 4000 rows: batch 1, heads 0-3, tokens 64-499, rank 2`; no batches or heads where there is but one, and no
  /// ranks where all have some.
  std::string text() const;
};

/// The errors of the rows that this rank holds of a tensor.
class RowErrors {
 public:
  void add(const RowId& id, const RowError& error) { rows_.push_back({id, error}); }
  /// Collective: the rows that have an element without an error in numbers.
  WrongRows not_numbers(const Problem& problem, const Collective& collective) const;
  /// Collective: the rows that are further off than `tolerance`.
  WrongRows beyond(double tolerance, const Problem& problem, const Collective& collective) const;

 private:
  WrongRows select(const std::function<bool(const RowError&)>& is_wrong, const Problem& problem,
                   const Collective& collective) const;

  std::vector<CheckedRow> rows_;
};

}  // namespace cpbench
