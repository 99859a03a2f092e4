// From logits to probabilities and to the gradients of the logits.
#pragma once

#include "validate/cuda/device_matrix.hpp"

namespace cpbench::cuda {

/// Whether the queries of a block of pairs are its rows, and keys its columns, or the other way round.
enum class Queries : std::uint8_t { kRows, kColumns };

/// RowStatistics of the queries of a block, [queries, 1].
struct QueryStatistics {
  DeviceMatrix &lse, &delta, &spread;
};

/// Of a block of pairs [rows, columns], of which row r attends columns seen[r]: each logit becomes a probability
/// exp(logit - lse), and each product dout · v the gradient probability * (product - delta) of its logit; both 0 where
/// a pair is not attended. squares [rows, 1] grow by the sum over columns of (probability * spread)². Queued on the
/// default stream.
void differentiate(DeviceMatrix& logits, DeviceMatrix& products, const ColumnRange* seen, Queries queries,
                   const QueryStatistics& statistics, DeviceMatrix& squares);

}  // namespace cpbench::cuda
