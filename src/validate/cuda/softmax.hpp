// A softmax over keys that come block by block.
#pragma once

#include "validate/cuda/device_matrix.hpp"

namespace cpbench::cuda {

/// What the rows have seen so far; begins with max -inf and zeros.
struct RunningSoftmax {
  DeviceMatrix &max, &sum;  ///< [rows, 1]: largest logit, sum of exp(logit - max)
  DeviceMatrix& out;        ///< [rows, dim]: sum of exp(logit - max) * v
};

/// Takes a block of logits [rows, columns] in, of which row r attends columns seen[r]: max and sum grow, out is scaled
/// to the new max, and each logit becomes exp(logit - max), or 0 where it is not attended, ready to be multiplied by V.
/// Queued on the default stream.
void add_logits(DeviceMatrix& logits, const ColumnRange* seen, const RunningSoftmax& softmax);

}  // namespace cpbench::cuda
