// Attention in fp32: simple kernels that can be checked by reading. A warp has one row at a time; its lanes share a
// step's columns where scores are computed, and the head's elements where rows are summed.
#include "backend/cuda/gradient.hpp"
#include "backend/cuda/implementation.hpp"
#include "backend/cuda/launch.hpp"
#include "backend/cuda/warp_reduction.hpp"

namespace cpbench {
namespace fp32 {
namespace {

constexpr int kThreads = 128, kWarps = kThreads / 32;
constexpr int kRows = 16, kColumns = 32;  // a lane for each column
constexpr int kShares = 256 / 32;         // elements of the longest head that a lane has

/// A head's elements, dealt to the lanes: lane i has i, i + 32, ...
struct Shares {
  float values[kShares] = {};

  __device__ void add(float factor, const float* row, int dim) {
#pragma unroll
    for (int i = 0; i < kShares; ++i) {
      const int d = lane_index() + 32 * i;
      if (d < dim) values[i] += factor * row[d];
    }
  }
  __device__ void scale(float factor) {
#pragma unroll
    for (int i = 0; i < kShares; ++i) values[i] *= factor;
  }
  __device__ void load(const float* row, int dim) {
#pragma unroll
    for (int i = 0; i < kShares; ++i) values[i] = lane_index() + 32 * i < dim ? row[lane_index() + 32 * i] : 0.0f;
  }
  __device__ void store(float* row, int dim) const {
#pragma unroll
    for (int i = 0; i < kShares; ++i) {
      if (lane_index() + 32 * i < dim) row[lane_index() + 32 * i] = values[i];
    }
  }
};

__device__ float dot(const float* a, const float* b, int count) {
  float sum = 0;
  for (int i = 0; i < count; ++i) sum += a[i] * b[i];
  return sum;
}

/// Whether the lane's column of the step is one that the row sees.
__device__ bool sees(const Steps& steps, int row) {
  return !steps.masked() || Window(steps.band(), row, steps.column()).sees(lane_index());
}

/// What a row has seen: O, not yet divided by l, and m and l.
struct RowState {
  Shares o;
  float m = kMinusInfinity, l = 0;
};

/// Where the state of a row is kept.
struct KeptState {
  float *o, *m, *l;
  __device__ KeptState(const ForwardParameters& p, const QueryRows& at, int row) {
    float* state = p.state_of(at.batch, at.q_head);
    o = state + std::int64_t{row} * p.dim_v;
    m = state + std::int64_t{p.q_rows} * p.dim_v + row;
    l = m + p.q_rows;
  }
};

__device__ RowState start_row(const ForwardParameters& p, const QueryRows& at, int row) {
  RowState state;
  if (!p.first) {
    const KeptState kept(p, at, row);
    state.o.load(kept.o, p.dim_v);
    state.m = *kept.m;
    state.l = *kept.l;
  } else if (p.sink != nullptr) {
    state.m = p.sink[at.global_head] * kLog2E;
    state.l = 1;
  }
  return state;
}

__device__ void save_row(const ForwardParameters& p, const QueryRows& at, int row, const RowState& state) {
  const KeptState kept(p, at, row);
  state.o.store(kept.o, p.dim_v);
  ptx::warp_sync();  // every lane has read m and l
  if (lane_index() == 0) {
    *kept.m = state.m;
    *kept.l = state.l;
  }
}

__device__ void finish_row(const ForwardParameters& p, const QueryRows& at, int row, RowState& state) {
  state.o.scale(state.l == 0 ? 0.0f : 1.0f / state.l);
  state.o.store(p.out.at<float>(at.batch, row, at.q_head), p.dim_v);
  if (lane_index() == 0) {
    *p.lse.at<float>(at.batch, row, at.q_head) = state.l == 0 ? kMinusInfinity : state.m * kLn2 + logf(state.l);
  }
}

__device__ void forward_row(const ForwardParameters& p, const QueryRows& at, const WorkList::Block& block, int row) {
  RowState state = start_row(p, at, row);
  const float* q = p.q.at<const float>(at.batch, row, at.q_head);
  Steps steps(p.work, block);
  for (int step = 0; step < block.steps; ++step) {
    steps.advance();
    float score = kMinusInfinity;
    if (sees(steps, row)) {
      score = dot(q, p.k.at<const float>(at.batch, steps.column() + lane_index(), at.kv_head), p.dim) * p.scale_log2;
    }
    const float highest = fmaxf(state.m, warp_max(score));
    if (highest == kMinusInfinity) continue;
    const float shrink = exp2f(state.m - highest), weight = exp2f(score - highest);
    state.m = highest;
    state.l = state.l * shrink + warp_sum(weight);
    state.o.scale(shrink);
    for (int column = 0; column < kColumns; ++column) {
      const float other = ptx::shuffle(weight, column);
      if (other != 0) state.o.add(other, p.v.at<const float>(at.batch, steps.column() + column, at.kv_head), p.dim_v);
    }
  }
  if (p.last) {
    finish_row(p, at, row, state);
  } else {
    save_row(p, at, row, state);
  }
}

__global__ void __launch_bounds__(kThreads) forward(const __grid_constant__ ForwardParameters p) {
  const ItemOrder::Item item = p.order.item(ptx::block_index());
  const WorkList::Block block = p.work.blocks[item.block];
  const QueryRows at(p, item.unit);
  for (int row = ptx::thread_index() / 32; row < kRows && block.row_begin + row < p.q_rows; row += kWarps) {
    forward_row(p, at, block, block.row_begin + row);
  }
}

/// dK and dV of a key, and what it adds to dQ.
__device__ void backward_row(const BackwardParameters& p, int batch, int kv_head, const WorkList::Block& block,
                             int row) {
  const float *k = p.k.at<const float>(batch, row, kv_head), *v = p.v.at<const float>(batch, row, kv_head);
  float *to_dk = p.dk.at<float>(batch, row, kv_head), *to_dv = p.dv.at<float>(batch, row, kv_head);
  Shares dk, dv;
  if (!p.first_dkv) {
    dk.load(to_dk, p.dim);
    dv.load(to_dv, p.dim_v);
  }
  for (int head = p.head_begin(kv_head); head < p.head_end(kv_head); ++head) {
    const int q_head = p.heads.q_begin + head;
    Steps steps(p.work, block);
    for (int step = 0; step < block.steps; ++step) {
      steps.advance();
      float weight = 0, gradient = 0;
      if (sees(steps, row)) {
        const int query = steps.column() + lane_index();
        const float score = dot(p.q.at<const float>(batch, query, q_head), k, p.dim);
        weight = exp2f(score * p.scale_log2 - offset_of(p, batch, q_head, query));
        const float dp = dot(p.dout.at<const float>(batch, query, q_head), v, p.dim_v);
        gradient = p.scale * weight * (dp - delta_of(p, batch, q_head, query));
      }
      for (int column = 0; column < kColumns; ++column) {
        const float other = ptx::shuffle(weight, column), ds = ptx::shuffle(gradient, column);
        if (other == 0) continue;
        const int query = steps.column() + column;
        dv.add(other, p.dout.at<const float>(batch, query, q_head), p.dim_v);
        dk.add(ds, p.q.at<const float>(batch, query, q_head), p.dim);
        float* dq = p.dq.at<float>(batch, query, q_head);
        for (int d = lane_index(); d < p.dim; d += 32) ptx::atomic_add(dq + d, ds * k[d]);
      }
    }
  }
  dk.store(to_dk, p.dim);
  dv.store(to_dv, p.dim_v);
}

__global__ void __launch_bounds__(kThreads) backward(const __grid_constant__ BackwardParameters p) {
  const ItemOrder::Item item = p.order.item(ptx::block_index());
  const WorkList::Block block = p.work.blocks[item.block];
  for (int row = ptx::thread_index() / 32; row < kRows && block.row_begin + row < p.k_rows; row += kWarps) {
    backward_row(p, item.unit / p.kv_heads, item.unit % p.kv_heads, block, block.row_begin + row);
  }
}

BlockShape forward_shape(int, int, bool) { return {kRows, kColumns}; }
BlockShape backward_shape(int, int) { return {kRows, kColumns}; }
void launch_forward(const ForwardParameters& p, const LaunchContext& context) {
  launch<forward>(p.order.items(), kThreads, 0, context.stream, p);
}
void launch_backward(const BackwardParameters& p, const LaunchContext& context) {
  launch<backward>(p.order.items(), kThreads, 0, context.stream, p);
}

}  // namespace
}  // namespace fp32

const Implementation kFp32Kernels = {"fp32", fp32::forward_shape, fp32::backward_shape, fp32::launch_forward,
                                     fp32::launch_backward};

}  // namespace cpbench
