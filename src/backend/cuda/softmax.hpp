// The online softmax on accumulators in registers, as mma.sync and wgmma lay them out: a lane holds, of the rows r and
// r + 8 (r = its first row), columns 8j + 2 * (lane % 4) and the next; element 4j + 2h + e is row r + 8h, column
// 8j + 2 * (lane % 4) + e.
#pragma once

#include <cmath>

#include "backend/cuda/parameters.hpp"
#include "backend/cuda/ptx/ptx.hpp"

namespace cpbench {

inline constexpr float kLog2E = 1.4426950408889634f;
inline constexpr float kLn2 = 0.6931471805599453f;
inline constexpr float kMinusInfinity = -__builtin_huge_valf();

/// The running maximum of a lane's two rows (scores times scale_log2), and its own share of their sums.
struct RowPair {
  float m[2], l[2];
};

__device__ inline int lane_index() { return ptx::thread_index() % 32; }
__device__ inline int first_column() { return 2 * (lane_index() % 4); }

/// Sum and maximum over the four lanes that share a row.
__device__ inline float row_sum(float value) {
  value += ptx::shuffle_xor(value, 1);
  return value + ptx::shuffle_xor(value, 2);
}
__device__ inline float row_max(float value) {
  value = fmaxf(value, ptx::shuffle_xor(value, 1));
  return fmaxf(value, ptx::shuffle_xor(value, 2));
}

/// Elements of pairs outside the band become `value`; `row` is the lane's first row, `column` the accumulator's first.
template <int kElements>
__device__ inline void set_outside(float (&s)[kElements], const WorkList::Band& band, int row, int column,
                                   float value) {
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const Window window(band, row + 8 * half, column + first_column());
#pragma unroll
    for (int j = 0; j < kElements / 4; ++j) {
#pragma unroll
      for (int e = 0; e < 2; ++e) {
        if (!window.sees(8 * j + e)) s[4 * j + 2 * half + e] = value;
      }
    }
  }
}

/// Turns scores into exponentials relative to the rows' new maxima, and adds them to the sums. `shrink` is what earlier
/// sums and outputs of the two rows are to be multiplied by (the sums already are).
template <int kElements>
__device__ inline void online_softmax(float (&s)[kElements], RowPair& rows, float (&shrink)[2], float scale_log2) {
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    float highest = s[2 * half];
#pragma unroll
    for (int j = 0; j < kElements / 4; ++j) {
#pragma unroll
      for (int e = 0; e < 2; ++e) highest = fmaxf(highest, s[4 * j + 2 * half + e]);
    }
    const float m = fmaxf(rows.m[half], row_max(highest) * scale_log2);
    const float base = m == kMinusInfinity ? 0.0f : m;  // a row that has seen nothing: exponents of -inf, not NaN
    shrink[half] = ptx::exp2(rows.m[half] - base);
    rows.m[half] = m;
    float sum = 0;
#pragma unroll
    for (int j = 0; j < kElements / 4; ++j) {
#pragma unroll
      for (int e = 0; e < 2; ++e) {
        float& element = s[4 * j + 2 * half + e];
        element = ptx::exp2(fmaf(element, scale_log2, -base));
        sum += element;
      }
    }
    rows.l[half] = rows.l[half] * shrink[half] + sum;
  }
}

template <int kElements>
__device__ inline void scale_rows(float (&o)[kElements], const float (&factor)[2]) {
#pragma unroll
  for (int i = 0; i < kElements; ++i) o[i] *= factor[i / 2 % 2];
}

/// Accumulators as the register operand A of 16 columns from 16 * k.
template <typename T, int kElements>
__device__ inline void pack_operand(std::uint32_t (&a)[4], const float (&s)[kElements], int k) {
#pragma unroll
  for (int i = 0; i < 4; ++i) a[i] = ptx::pack<T>(s[8 * k + 2 * i], s[8 * k + 2 * i + 1]);
}

/// Where the rows of an item of the forward pass are.
struct QueryRows {
  int batch, q_head, kv_head, global_head;
  __device__ QueryRows(const ForwardParameters& p, int unit) {
    const int head = unit % p.heads.count;
    batch = unit / p.heads.count;
    q_head = p.heads.q_begin + head;
    kv_head = p.kv_head(head);
    global_head = p.heads.q_global + head;
  }
};

/// The maxima and sums with which the lane's two rows start.
__device__ inline RowPair start_rows(const ForwardParameters& p, const QueryRows& at, int row) {
  const float own = lane_index() % 4 == 0 ? 1.0f : 0.0f;  // one lane of a row carries what is not its own
  RowPair rows{{kMinusInfinity, kMinusInfinity}, {0, 0}};
  if (p.first && p.sink == nullptr) return rows;
  const float* m = p.first ? nullptr : p.state_of(at.batch, at.q_head) + std::int64_t{p.q_rows} * p.dim_v;
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int r = row + 8 * half;
    if (r >= p.q_rows) continue;
    rows.m[half] = p.first ? p.sink[at.global_head] * kLog2E : m[r];
    rows.l[half] = own * (p.first ? 1.0f : m[p.q_rows + r]);
  }
  return rows;
}

/// Calls visit(pair, i) where elements i and i + 1 of the lane's outputs, columns from `column` on, are kept in the
/// state.
template <int kElements, typename Visitor>
__device__ inline void for_kept_outputs(const ForwardParameters& p, const QueryRows& at, int row, int column,
                                        Visitor&& visit) {
  float* state = p.state_of(at.batch, at.q_head);
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int r = row + 8 * half;
    if (r >= p.q_rows) continue;
#pragma unroll
    for (int j = 0; j < kElements / 4; ++j) {
      const int c = column + 8 * j + first_column();
      if (c >= p.dim_v) continue;
      visit(*reinterpret_cast<float2*>(state + std::int64_t{r} * p.dim_v + c), 4 * j + 2 * half);
    }
  }
}

/// The outputs with which the lane's two rows start.
template <int kElements>
__device__ inline void start_output(const ForwardParameters& p, const QueryRows& at, int row, int column,
                                    float (&o)[kElements]) {
#pragma unroll
  for (int i = 0; i < kElements; ++i) o[i] = 0;
  if (p.first) return;
  for_kept_outputs<kElements>(p, at, row, column, [&](const float2& pair, int i) {
    o[i] = pair.x;
    o[i + 1] = pair.y;
  });
}

/// Writes the state of the lane's two rows without the outputs. All lanes of a warp.
__device__ inline void save_rows(const ForwardParameters& p, const QueryRows& at, int row, const RowPair& rows) {
  float* m = p.state_of(at.batch, at.q_head) + std::int64_t{p.q_rows} * p.dim_v;
  ptx::warp_sync();  // the other lanes of the row have read what it was
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int r = row + 8 * half;
    const float l = row_sum(rows.l[half]);
    if (r >= p.q_rows || lane_index() % 4 != 0) continue;
    m[r] = rows.m[half];
    m[p.q_rows + r] = l;
  }
}

template <int kElements>
__device__ inline void save_output(const ForwardParameters& p, const QueryRows& at, int row, int column,
                                   const float (&o)[kElements]) {
  for_kept_outputs<kElements>(p, at, row, column, [&](float2& pair, int i) { pair = {o[i], o[i + 1]}; });
}

/// Writes lse of the lane's two rows; `inverse` is what their outputs are to be multiplied by. All lanes of a warp.
__device__ inline void finish_rows(const ForwardParameters& p, const QueryRows& at, int row, const RowPair& rows,
                                   float (&inverse)[2]) {
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int r = row + 8 * half;
    const float l = row_sum(rows.l[half]);
    inverse[half] = l == 0 ? 0.0f : 1.0f / l;
    if (r >= p.q_rows || lane_index() % 4 != 0) continue;
    *p.lse.at<float>(at.batch, r, at.q_head) = l == 0 ? kMinusInfinity : rows.m[half] * kLn2 + logf(l);
  }
}

}  // namespace cpbench
