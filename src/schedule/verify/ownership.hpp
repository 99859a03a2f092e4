// Who owns which token, and the numbering of all tokens that follows from it.
#pragma once

#include <cstdint>
#include <vector>

#include "schedule/verify/faults.hpp"
#include "shard/segment.hpp"

namespace cpbench::verification {

/// Every token of [0, seq_len) must belong to exactly one rank. Cost grows with the number of segments, not of tokens,
/// unless strides differ (other than for single tokens).
void check_partition(const std::vector<Tokens>& tokens, std::int64_t seq_len, Faults& faults);

/// Rows [row_begin, row_end) hold the tokens first, first + stride, ...
struct TokenRun {
  std::int64_t row_begin, row_end, first, stride;
};

/// The owned rows of all ranks, one rank after the other, are numbered 0 to seq_len - 1: the number is a row's
/// position. Where shards are neighbours in the sequence, runs of tokens go on across ranks.
class Positions {
 public:
  explicit Positions(const std::vector<Tokens>& tokens);
  std::int64_t first_of(int rank) const { return first_[static_cast<std::size_t>(rank)]; }
  std::int64_t count() const { return first_.back(); }
  std::int64_t token_at(std::int64_t position) const;
  /// The tokens of positions [begin, end); rows of the runs are positions.
  std::vector<TokenRun> tokens_of(std::int64_t begin, std::int64_t end) const;

 private:
  std::vector<TokenRun>::const_iterator run_of(std::int64_t position) const;

  std::vector<std::int64_t> first_;  ///< by rank, and the end
  std::vector<TokenRun> runs_;       ///< of all positions
};

}  // namespace cpbench::verification
