// The forward kernel for Ampere and later: mma.sync, ldmatrix, cp.async.
//
// A block of four warps keeps kRows queries in shared memory and walks over keys; K and V are single-buffered, each
// being copied while the other is used. Scores, exponentials and outputs stay in registers.
#pragma once

#include "backend/cuda/sm80/tile.hpp"
#include "backend/cuda/softmax.hpp"

namespace cpbench::sm80 {

inline constexpr int kForwardThreads = 128;

template <typename T, int kDim, int kDimV, int kRows, int kColumns>
class Forward {
 public:
  static constexpr int kSharedBytes =
      kTileBytes<kRows, kDim> + kTileBytes<kColumns, kDim> + kTileBytes<kColumns, kDimV>;

  __device__ Forward(const ForwardParameters& p, ptx::SharedAddress shared)
      : p_(p),
        item_(p.order.item(ptx::block_index())),
        at_(p, item_.unit),
        q_(shared),
        k_(q_ + kTileBytes<kRows, kDim>),
        v_(k_ + kTileBytes<kColumns, kDim>) {}

  __device__ void run() {
    const WorkList::Block block = p_.work.blocks[item_.block];
    Steps steps(p_.work, block);
    load_tile<T, kRows, kDim, kForwardThreads>(q_, p_.q.at<const T>(at_.batch, 0, at_.q_head), p_.q.row_stride,
                                               block.row_begin, 0, p_.q_rows, p_.dim);
    if (block.steps > 0) {
      steps.advance();
      load_keys(steps.column());
    }
    ptx::copy_async_commit();
    first_row_ = ptx::thread_index() / 32 * (16 * kRowTiles);
    start(block.row_begin);
    for (int step = 0; step < block.steps; ++step) {
      ptx::copy_async_wait<0>();
      ptx::block_sync();  // K is there, and V no longer needed
      load_values(steps.column());
      ptx::copy_async_commit();
      attend(steps, block.row_begin);
      ptx::copy_async_wait<0>();
      ptx::block_sync();  // V is there, and K no longer needed
      if (step + 1 < block.steps) {
        steps.advance();
        load_keys(steps.column());
      }
      ptx::copy_async_commit();
      add_values();
    }
    ptx::copy_async_wait<0>();
    finish(block.row_begin);
  }

 private:
  static constexpr int kRowTiles = kRows / 64;

  __device__ int row(int tile) const { return first_row_ + 16 * tile + lane_index() / 4; }

  __device__ void load_keys(int column) {
    load_tile<T, kColumns, kDim, kForwardThreads>(k_, p_.k.at<const T>(at_.batch, 0, at_.kv_head), p_.k.row_stride,
                                                  column, p_.work.column_begin, p_.work.column_end, p_.dim);
  }
  __device__ void load_values(int column) {
    load_tile<T, kColumns, kDimV, kForwardThreads>(v_, p_.v.at<const T>(at_.batch, 0, at_.kv_head), p_.v.row_stride,
                                                   column, p_.work.column_begin, p_.work.column_end, p_.dim_v);
  }

  __device__ void start(int row_begin) {
#pragma unroll
    for (int t = 0; t < kRowTiles; ++t) {
      rows_[t] = start_rows(p_, at_, row_begin + row(t));
      start_output(p_, at_, row_begin + row(t), 0, o_[t]);
    }
  }

  /// Scores of the step, and their exponentials.
  __device__ void attend(const Steps& steps, int row_begin) {
    const auto q = TileReader<kDim>::straight(q_ + static_cast<unsigned>(first_row_ * kDim * 2));
    const auto keys = TileReader<kDim>::crossed(k_);
#pragma unroll
    for (int t = 0; t < kRowTiles; ++t) {
#pragma unroll
      for (int i = 0; i < kColumns / 2; ++i) s_[t][i] = 0;
    }
#pragma unroll
    for (int k = 0; k < kDim / 16; ++k) {
      std::uint32_t a[kRowTiles][4];
#pragma unroll
      for (int t = 0; t < kRowTiles; ++t) q.load(a[t], 16 * t, k);
#pragma unroll
      for (int n = 0; n < kColumns / 16; ++n) {
        std::uint32_t b[4];
        keys.load(b, 16 * n, k);
#pragma unroll
        for (int t = 0; t < kRowTiles; ++t) multiply_add<T>(s_[t], 2 * n, a[t], b);
      }
    }
#pragma unroll
    for (int t = 0; t < kRowTiles; ++t) {
      if (steps.masked()) set_outside(s_[t], steps.band(), row_begin + row(t), steps.column(), kMinusInfinity);
      float shrink[2];
      online_softmax(s_[t], rows_[t], shrink, p_.scale_log2);
      scale_rows(o_[t], shrink);
    }
  }

  __device__ void add_values() {
    const auto values = TileReader<kDimV>::straight(v_);
#pragma unroll
    for (int k = 0; k < kColumns / 16; ++k) {
      std::uint32_t a[kRowTiles][4];
#pragma unroll
      for (int t = 0; t < kRowTiles; ++t) pack_operand<T>(a[t], s_[t], k);
#pragma unroll
      for (int n = 0; n < kDimV / 16; ++n) {
        std::uint32_t b[4];
        values.load_transposed(b, 16 * k, n);
#pragma unroll
        for (int t = 0; t < kRowTiles; ++t) multiply_add<T>(o_[t], 2 * n, a[t], b);
      }
    }
  }

  __device__ void finish(int row_begin) {
#pragma unroll
    for (int t = 0; t < kRowTiles; ++t) {
      const int r = row_begin + row(t);
      if (!p_.last) {
        save_rows(p_, at_, r, rows_[t]);
        save_output(p_, at_, r, 0, o_[t]);
        continue;
      }
      float inverse[2];
      finish_rows(p_, at_, r, rows_[t], inverse);
      scale_rows(o_[t], inverse);
      write(r, o_[t]);
    }
  }

  __device__ void write(int r, const float (&o)[kDimV / 2]) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      if (r + 8 * half >= p_.q_rows) continue;
      T* out = p_.out.at<T>(at_.batch, r + 8 * half, at_.q_head) + first_column();
#pragma unroll
      for (int j = 0; j < kDimV / 8; ++j) {
        if (8 * j >= p_.dim_v) continue;
        *reinterpret_cast<std::uint32_t*>(out + 8 * j) = ptx::pack<T>(o[4 * j + 2 * half], o[4 * j + 2 * half + 1]);
      }
    }
  }

  const ForwardParameters& p_;
  ItemOrder::Item item_;
  QueryRows at_;
  ptx::SharedAddress q_, k_, v_;
  int first_row_ = 0;  ///< of the warp, in the block
  RowPair rows_[kRowTiles];
  float s_[kRowTiles][kColumns / 2], o_[kRowTiles][kDimV / 2];
};

template <typename T, int kDim, int kDimV, int kRows, int kColumns>
__global__ void __launch_bounds__(kForwardThreads) forward(const __grid_constant__ ForwardParameters p) {
  CPBENCH_SHARED_MEMORY(shared);
  Forward<T, kDim, kDimV, kRows, kColumns>(p, ptx::shared_address(shared)).run();
}

}  // namespace cpbench::sm80
