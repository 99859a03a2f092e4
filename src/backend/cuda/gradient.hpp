// The backward pass on accumulators in registers, transposed: rows are keys, columns queries (softmax.hpp says which
// lane holds what).
#pragma once

#include "backend/cuda/softmax.hpp"

namespace cpbench {

/// What the backward pass subtracts from scores, times log2(e): P = exp2(score * scale_log2 - offset). Infinite where a
/// query saw nothing (lse is -inf) or does not exist, so that P is 0.
__device__ inline float offset_of(const BackwardParameters& p, int batch, int q_head, int query) {
  if (query >= p.q_rows) return -kMinusInfinity;
  const float lse = *p.lse.at<const float>(batch, query, q_head);
  return lse == kMinusInfinity ? -kMinusInfinity : lse * kLog2E;
}
__device__ inline float delta_of(const BackwardParameters& p, int batch, int q_head, int query) {
  return query < p.q_rows ? *p.delta.at<const float>(batch, query, q_head) : 0.0f;
}

/// Scores to probabilities; `offsets` is that of the tile's first query.
template <int kElements>
__device__ inline void probabilities(float (&s)[kElements], const float* offsets, float scale_log2) {
#pragma unroll
  for (int j = 0; j < kElements / 4; ++j) {
    const float2 offset = *reinterpret_cast<const float2*>(offsets + 8 * j + first_column());
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      float* pair = s + 4 * j + 2 * half;
      pair[0] = ptx::exp2(fmaf(pair[0], scale_log2, -offset.x));
      pair[1] = ptx::exp2(fmaf(pair[1], scale_log2, -offset.y));
    }
  }
}

/// dS = P * (dP - delta), in place of dP.
template <int kElements>
__device__ inline void score_gradients(float (&dp)[kElements], const float (&p)[kElements], const float* deltas) {
#pragma unroll
  for (int j = 0; j < kElements / 4; ++j) {
    const float2 delta = *reinterpret_cast<const float2*>(deltas + 8 * j + first_column());
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int i = 4 * j + 2 * half;
      dp[i] = p[i] * (dp[i] - delta.x);
      dp[i + 1] = p[i + 1] * (dp[i + 1] - delta.y);
    }
  }
}

/// Adds an accumulator of keys, times `scale`, to a gradient, or writes it where the gradient starts anew, rounded to T
/// or not. `row` is the lane's first key, `column` the accumulator's first column, of `dim`.
template <typename T, int kElements>
__device__ inline void add_to_gradient(const BackwardParameters& p, const DeviceTensor& gradient, int dim, int batch,
                                       int kv_head, int row, int column, float scale, const float (&d)[kElements]) {
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    if (row + 8 * half >= p.k_rows) continue;
#pragma unroll
    for (int j = 0; j < kElements / 4; ++j) {
      const int c = column + 8 * j + first_column();
      if (c >= dim) continue;
      const float2 own{scale * d[4 * j + 2 * half], scale * d[4 * j + 2 * half + 1]};
      if (p.round_dkv) {
        *reinterpret_cast<std::uint32_t*>(gradient.at<T>(batch, row + 8 * half, kv_head) + c) =
            ptx::pack<T>(own.x, own.y);
        continue;
      }
      auto* pair = reinterpret_cast<float2*>(gradient.at<float>(batch, row + 8 * half, kv_head) + c);
      const float2 sum = p.first_dkv ? float2{0, 0} : *pair;
      *pair = {sum.x + own.x, sum.y + own.y};
    }
  }
}

}  // namespace cpbench
