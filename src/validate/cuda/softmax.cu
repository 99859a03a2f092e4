#include "validate/cuda/softmax.hpp"

#include "backend/cuda/launch.hpp"
#include "validate/cuda/warp.hpp"

namespace cpbench::cuda {
namespace {

__global__ void __launch_bounds__(kRowThreads)
    add_logits_kernel(float* logits, int rows, int columns, const ColumnRange* seen, float* max, float* sum, float* out,
                      int dim) {
  const int row = warp_row(), lane = warp_lane();
  if (row >= rows) return;
  float* const logit = logits + std::int64_t{row} * columns;
  const auto [begin, end] = seen[row];
  const float before = max[row];
  float largest = before;
  for (int c = lane; c < columns; c += 32) {
    if (begin <= c && c < end) largest = fmaxf(largest, logit[c]);
  }
  largest = warp_max(largest);
  float added = 0;
  for (int c = lane; c < columns; c += 32) {
    logit[c] = begin <= c && c < end ? expf(logit[c] - largest) : 0.0f;
    added += logit[c];
  }
  added = warp_sum(added);
  // A row that has seen nothing has no maximum yet: -inf - -inf would be NaN.
  const float kept = before == largest ? 1.0f : expf(before - largest);
  for (int c = lane; c < dim; c += 32) out[std::int64_t{row} * dim + c] *= kept;
  ptx::warp_sync();  // every lane has read max
  if (lane != 0) return;
  max[row] = largest;
  sum[row] = sum[row] * kept + added;
}

}  // namespace

void add_logits(DeviceMatrix& logits, const ColumnRange* seen, const RunningSoftmax& softmax) {
  launch(add_logits_kernel, blocks_for_rows(logits.rows()), kRowThreads, 0, nullptr, logits.data(), logits.rows(),
         logits.columns(), seen, softmax.max.data(), softmax.sum.data(), softmax.out.data(), softmax.out.columns());
}

}  // namespace cpbench::cuda
