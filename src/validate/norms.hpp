// How far a tensor is from its reference.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <tuple>

#include "support/collective.hpp"

namespace cpbench {

/// Rows of a worst block: as many as a block of queries of the usual kernels. A global norm is blind at long context:
/// of a million causal tokens, zeroing the last 128 rows scores 4e-6.
inline constexpr std::int64_t kNormBlockRows = 128;

/// A row of a tensor: batch and token are those of the whole problem. A row of dsink is {0, 0, head}.
struct RowId {
  std::int64_t batch, token;
  int head;
};

/// What is wrong with a row.
struct RowError {
  double square = 0;            ///< of the error, without elements that are no number
  double reference_square = 0;  ///< what it is measured against, see ErrorNorms::add
  /// The first element without an error in numbers, one of the two being NaN or only one infinite; else the worst.
  std::size_t channel = 0;
  double value = 0, reference = 0;
  bool is_number = true;

  double relative() const;
};

/// Sums up the errors of a tensor's rows. A block is kNormBlockRows consecutive tokens of one head of one sequence, of
/// which some may not have been checked; it does not depend on the sharding.
class ErrorNorms {
 public:
  /// The error of a row is measured relative to its reference, but to no less than the root of `least_square`: see
  /// SingleDevice on gradients that cancel. Elements that are equal count as such, -inf included.
  RowError add(const RowId& id, std::span<const double> values, std::span<const double> reference,
               double least_square = 0);
  /// Adds what the other ranks have found: the same norms on all.
  void join(const Collective& collective);

  bool empty() const { return blocks_.empty(); }
  double max_abs() const { return max_abs_; }
  /// Root of the sum of squared errors over that of squared references. 0 where both are 0.
  double rel_l2() const;
  /// The same for the worst block.
  double worst_block() const;
  /// `batch 0, head 3, tokens 896 to 1023`, of a sequence of `tokens`; empty without rows.
  std::string worst_block_name(std::int64_t tokens) const;
  /// The number by which multiplied all references come within `tolerance` (rel_l2), where they do not without it.
  std::optional<double> factor(double tolerance) const;

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

  Blocks::const_iterator worst() const;

  double max_abs_ = 0;
  /// Sums of squares of values and of references, and of their products.
  double values_square_ = 0, references_square_ = 0, products_ = 0;
  Blocks blocks_;
};

}  // namespace cpbench
