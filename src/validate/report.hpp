// What validation found, per tensor.
#pragma once

#include <string>
#include <vector>

namespace cpbench {

/// Errors of one tensor against the reference. `tolerance` bounds rel_l2 and worst_block_rel.
struct TensorReport {
  std::string tensor;          ///< out, lse, dq, dk, dv, dsink
  double max_abs = 0;          ///< largest absolute difference
  double rel_l2 = 0;           ///< |x - ref| / |ref| over all checked elements
  double worst_block_rel = 0;  ///< the same over the worst block of rows
  double tolerance = 0;
  bool passed = false;
  /// Where it failed: the worst block, or the first NaN; the figures are NaN then. Which failed results it is made
  /// from.
  std::string note;
};

struct ValidationReport {
  std::string reference;  ///< `fp64-full`, `fp64-sample:64`, `cublas-full`, ...
  bool passed = false;
  std::vector<TensorReport> tensors;
  /// One line: where the first NaN or infinity is, which norms of other tensors may only follow from; else the first
  /// failing tensor with its figures. Empty where passed.
  std::string reason() const;
};

}  // namespace cpbench
