#include "backend/cuda/launch.hpp"
#include "validate/cuda/score_gradients.hpp"
#include "validate/cuda/warp.hpp"

namespace cpbench::cuda {
namespace {

/// Where the statistics of a pair's query are.
struct Statistics {
  const float *lse, *delta, *spread;
  int row_step, column_step;
};

__global__ void __launch_bounds__(kRowThreads)
    differentiate_kernel(float* logits, float* products, int rows, int columns, const ColumnRange* seen,
                         Statistics statistics, float* squares) {
  const int row = warp_row(), lane = warp_lane();
  if (row >= rows) return;
  float* const logit = logits + std::int64_t{row} * columns;
  float* const product = products + std::int64_t{row} * columns;
  const auto [begin, end] = seen[row];
  float sum = 0;
  for (int c = lane; c < columns; c += 32) {
    float probability = 0, gradient = 0;
    if (begin <= c && c < end) {
      const int query = row * statistics.row_step + c * statistics.column_step;
      probability = expf(logit[c] - statistics.lse[query]);
      gradient = probability * (product[c] - statistics.delta[query]);
      const float spread = probability * statistics.spread[query];
      sum += spread * spread;
    }
    logit[c] = probability;
    product[c] = gradient;
  }
  sum = warp_sum(sum);
  if (lane == 0) squares[row] += sum;
}

}  // namespace

void differentiate(DeviceMatrix& logits, DeviceMatrix& products, const ColumnRange* seen, Queries queries,
                   const QueryStatistics& statistics, DeviceMatrix& squares) {
  const bool rows_are_queries = queries == Queries::kRows;
  launch(differentiate_kernel, blocks_for_rows(logits.rows()), kRowThreads, 0, nullptr, logits.data(), products.data(),
         logits.rows(), logits.columns(), seen,
         Statistics{.lse = statistics.lse.data(),
                    .delta = statistics.delta.data(),
                    .spread = statistics.spread.data(),
                    .row_step = rows_are_queries ? 1 : 0,
                    .column_step = rows_are_queries ? 0 : 1},
         squares.data());
}

}  // namespace cpbench::cuda
