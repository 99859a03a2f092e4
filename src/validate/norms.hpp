// How far a tensor is from its reference.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <tuple>

#include "validate/collective.hpp"

namespace cpbench {

/// Rows of a worst block: as many as a block of queries of the usual kernels. A global norm is blind at long context:
/// of a million causal tokens, zeroing the last 128 rows scores 4e-6.
inline constexpr std::int64_t kNormBlockRows = 128;

/// A row of a tensor: batch and token are those of the whole problem. A row of dsink is {0, 0, head}.
struct RowId {
  std::int64_t batch, token;
  int head;
};

/// Sums up the errors of a tensor's rows. A block is kNormBlockRows consecutive tokens of one head of one sequence, of
/// which some may not have been checked; it does not depend on the sharding.
class ErrorNorms {
 public:
  /// The error of a row is measured relative to its reference, but to no less than the root of `least_square`: see
  /// SingleDevice on gradients that cancel. Elements that are equal count as such, -inf included.
  void add(const RowId& id, std::span<const double> values, std::span<const double> reference, double least_square = 0);
  /// Adds what the other ranks have found: the same norms on all.
  void join(Collective& collective);

  bool empty() const { return blocks_.empty(); }
  double max_abs() const { return max_abs_; }
  /// Root of the sum of squared errors over that of squared references. 0 where both are 0.
  double rel_l2() const;
  /// The same for the worst block.
  double worst_block() const;
  /// `batch 0, head 3, tokens 896 to 1023`, of a sequence of `tokens`; empty without rows.
  std::string worst_block_name(std::int64_t tokens) const;

  /// The first element for which there is no error in numbers: one of the two is NaN, or only one is infinite.
  struct Defect {
    RowId row;
    double value, reference;
  };
  const std::optional<Defect>& defect() const { return defect_; }

 private:
  struct BlockId {
    std::int64_t batch, head, index;
    bool operator<(const BlockId& other) const {
      return std::tie(batch, head, index) < std::tie(other.batch, other.head, other.index);
    }
  };
  struct Squares {
    double error = 0, reference = 0;
    double relative() const;
  };
  using Blocks = std::map<BlockId, Squares>;

  void keep_first(const Defect& defect);
  Blocks::const_iterator worst() const;

  double max_abs_ = 0;
  Blocks blocks_;
  std::optional<Defect> defect_;
};

}  // namespace cpbench
