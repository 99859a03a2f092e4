// Compares what the ranks have computed with a reference: each rank its own rows, and all get the same report.
#pragma once

#include "backend/tensor_view.hpp"
#include "support/collective.hpp"
#include "validate/check_mode.hpp"
#include "validate/input.hpp"
#include "validate/report.hpp"
#include "validate/single_device.hpp"

namespace cpbench {

/// A rank's results in host memory. Rows are those of its tokens; heads are all heads.
struct LocalResults {
  TensorView out, lse;           ///< [batch, rows, heads, head_dim_v] and [batch, rows, heads, 1]
  TensorView dq, dk, dv;         ///< unused with Pass::kForward
  const float* dsink = nullptr;  ///< [heads], on rank 0; unused without sinks and with Pass::kForward
};

struct CheckOptions {
  CheckMode mode;  ///< not `off`
  Pass pass = Pass::kForwardBackward;
  int threads = 1;  ///< OpenMP threads of this rank
  int workers = 1;  ///< cores that check, of all ranks together; the same on all ranks
};

/// Collective. `tokens` are the rank's, in the order of its rows.
///
/// full: every row of every tensor. A rank lets `reference` compute the rows of out, lse and dq of its own queries and
/// of dk and dv of its own keys from regenerated inputs; the reference's lse and delta that dk and dv need are
/// gathered, one head group at a time.
///
/// sample: some rows (see choose_sample). Nothing that grows with the length is gathered, and little is kept: each rank
/// computes the part that its share of the keys has in the sampled rows of out, lse and dq, and the part that its own
/// queries have in the sampled rows of dk, dv and dsink, and the parts are added. For the latter, exact lse and delta
/// of all queries would cost as much as the whole problem; the ranks' own lse and out are taken instead, of which
/// samples have been checked.
///
/// Throws std::logic_error where the ranks' tokens are not a partition of the sequence.
ValidationReport check_results(const Inputs& inputs, const SingleDevice& reference, const CheckOptions& options,
                               const Tokens& tokens, const LocalResults& results, const Collective& collective);

}  // namespace cpbench
