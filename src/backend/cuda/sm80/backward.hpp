// The backward kernel for Ampere and later: mma.sync, ldmatrix, cp.async.
//
// A block of four warps keeps kRows keys with their K and V, and walks over the queries of all heads that read them.
// Scores are computed transposed (keys are rows), so that P and dS are register operands of dV and dK; only dS goes
// through shared memory, for dQ, which is added to global memory atomically: its sums come in no fixed order.
//
// dK and dV of long heads do not fit the registers together: then one launch makes dK and dQ, another one dV.
#pragma once

#include "backend/cuda/gradient.hpp"
#include "backend/cuda/sm80/tile.hpp"

namespace cpbench::sm80 {

enum class Gradients { kAll, kQueryAndKey, kValue };

template <typename T, int kDim, int kDimV, int kRows, Gradients kWanted>
class Backward {
  static constexpr int kColumns = kRows;  // a warp has 16 rows of dK and dV, and 16 of dQ
  static constexpr int kScoreDim = 64;    // width of the tile that holds dS
  static constexpr bool kWantsKey = kWanted != Gradients::kValue, kWantsValue = kWanted != Gradients::kQueryAndKey;

 public:
  static constexpr int kThreads = 2 * kRows;
  static constexpr int kSharedBytes = kTileBytes<kRows, kDim> + kTileBytes<kRows, kDimV> + kTileBytes<kColumns, kDim> +
                                      kTileBytes<kColumns, kDimV> + kTileBytes<kRows, kScoreDim> +
                                      2 * kColumns * static_cast<int>(sizeof(float));

  __device__ Backward(const BackwardParameters& p, unsigned char* shared)
      : p_(p),
        item_(p.order.item(ptx::block_index())),
        block_(p.work.blocks[item_.block]),
        batch_(item_.unit / p.kv_heads),
        kv_head_(item_.unit % p.kv_heads),
        first_head_(p.heads.q_begin + p.head_begin(kv_head_)),
        steps_(p.work, block_) {
    k_ = ptx::shared_address(shared);
    v_ = k_ + kTileBytes<kRows, kDim>;
    q_ = v_ + kTileBytes<kRows, kDimV>;
    dout_ = q_ + kTileBytes<kColumns, kDim>;
    ds_ = dout_ + kTileBytes<kColumns, kDimV>;
    ds_data_ = shared + (ds_ - k_);
    offsets_ = reinterpret_cast<float*>(ds_data_ + kTileBytes<kRows, kScoreDim>);
    deltas_ = offsets_ + kColumns;
    warp_ = ptx::thread_index() / 32;
  }

  __device__ void run() {
    int left = (p_.head_end(kv_head_) - p_.head_begin(kv_head_)) * block_.steps;
    if (left <= 0) {
      if (p_.first_dkv) write();
      return;
    }
    load_keys();
    steps_.advance();
    load_queries();
    save_statistics();
    while (true) {
      ptx::copy_async_wait<0>();
      ptx::block_sync();  // Q and dO are there, and dS no longer needed
      const int column = steps_.column(), head = q_head();
      attend();
      ptx::block_sync();  // dS is there, and Q and dO no longer needed
      --left;
      if (left > 0) {
        steps_.advance();
        load_queries();
      }
      if constexpr (kWantsKey) add_query_gradient(head, column);
      if (left == 0) break;
      save_statistics();
    }
    write();
  }

 private:
  /// A round of the steps for each head that reads the keys.
  __device__ int q_head() const { return first_head_ + steps_.round(); }

  __device__ void load_keys() {
    load_tile<T, kRows, kDim, kThreads>(k_, p_.k.at<const T>(batch_, 0, kv_head_), p_.k.row_stride, block_.row_begin,
                                        p_.work.row_begin, p_.work.row_end, p_.dim);
    if constexpr (kWantsKey) {
      load_tile<T, kRows, kDimV, kThreads>(v_, p_.v.at<const T>(batch_, 0, kv_head_), p_.v.row_stride, block_.row_begin,
                                           p_.work.row_begin, p_.work.row_end, p_.dim_v);
    }
  }

  /// Starts to copy Q and dO of the step, and reads its offsets and deltas into registers.
  __device__ void load_queries() {
    const int head = q_head(), column = steps_.column();
    load_tile<T, kColumns, kDim, kThreads>(q_, p_.q.at<const T>(batch_, 0, head), p_.q.row_stride, column, 0, p_.q_rows,
                                           p_.dim);
    load_tile<T, kColumns, kDimV, kThreads>(dout_, p_.dout.at<const T>(batch_, 0, head), p_.dout.row_stride, column, 0,
                                            p_.q_rows, p_.dim_v);
    ptx::copy_async_commit();
    if (ptx::thread_index() < kColumns) {
      offset_ = offset_of(p_, batch_, head, column + ptx::thread_index());
      delta_ = delta_of(p_, batch_, head, column + ptx::thread_index());
    }
  }
  __device__ void save_statistics() {
    if (ptx::thread_index() < kColumns) {
      offsets_[ptx::thread_index()] = offset_;
      deltas_[ptx::thread_index()] = delta_;
    }
  }

  __device__ int first_row() const { return 16 * warp_ + lane_index() / 4; }

  __device__ void attend() {
    float s[kColumns / 2];
    multiply_transposed<kDim>(s, k_, q_);
    probabilities(s, offsets_, p_.scale_log2);
    if (steps_.masked()) set_outside(s, steps_.band(), block_.row_begin + first_row(), steps_.column(), 0);
    if constexpr (kWantsValue) add_product<kDimV>(dv_, s, dout_);
    if constexpr (kWantsKey) {
      float dp[kColumns / 2];
      multiply_transposed<kDimV>(dp, v_, dout_);
      score_gradients(dp, s, deltas_);
      save_score_gradients(dp);
      add_product<kDim>(dk_, dp, q_);
    }
  }

  /// (16 x kColumns) = the warp's rows of one tile, times the other one transposed.
  template <int kWidth>
  __device__ void multiply_transposed(float (&s)[kColumns / 2], ptx::SharedAddress rows, ptx::SharedAddress columns) {
    const auto left = TileReader<kWidth>::straight(rows + static_cast<unsigned>(16 * warp_ * kWidth * 2));
    const auto right = TileReader<kWidth>::crossed(columns);
#pragma unroll
    for (int i = 0; i < kColumns / 2; ++i) s[i] = 0;
#pragma unroll
    for (int k = 0; k < kWidth / 16; ++k) {
      std::uint32_t a[4], b[4];
      left.load(a, 0, k);
#pragma unroll
      for (int n = 0; n < kColumns / 16; ++n) {
        right.load(b, 16 * n, k);
        multiply_add<T>(s, 2 * n, a, b);
      }
    }
  }

  /// d += s * the tile, s (16 x kColumns) from registers.
  template <int kWidth>
  __device__ void add_product(float (&d)[kWidth / 2], const float (&s)[kColumns / 2], ptx::SharedAddress tile) {
    const auto right = TileReader<kWidth>::straight(tile);
#pragma unroll
    for (int k = 0; k < kColumns / 16; ++k) {
      std::uint32_t a[4], b[4];
      pack_operand<T>(a, s, k);
#pragma unroll
      for (int n = 0; n < kWidth / 16; ++n) {
        right.load_transposed(b, 16 * k, n);
        multiply_add<T>(d, 2 * n, a, b);
      }
    }
  }

  __device__ void save_score_gradients(const float (&ds)[kColumns / 2]) {
#pragma unroll
    for (int j = 0; j < kColumns / 8; ++j) {
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const auto at = piece<kScoreDim>(first_row() + 8 * half, j) + static_cast<unsigned>(first_column() * 2);
        *reinterpret_cast<std::uint32_t*>(ds_data_ + at) = ptx::pack<T>(ds[4 * j + 2 * half], ds[4 * j + 2 * half + 1]);
      }
    }
  }

  /// dQ += dS^T K for the 16 queries of the warp, 64 columns at a time.
  __device__ void add_query_gradient(int q_head, int column) {
    const auto left = TileReader<kScoreDim>::crossed(ds_);
    const auto right = TileReader<kDim>::straight(k_);
#pragma unroll 1
    for (int c = 0; c < kDim; c += 64) {
      float dq[32];
#pragma unroll
      for (int i = 0; i < 32; ++i) dq[i] = 0;
#pragma unroll
      for (int k = 0; k < kRows / 16; ++k) {
        std::uint32_t a[4], b[4];
        left.load_transposed(a, 16 * k, warp_);
#pragma unroll
        for (int n = 0; n < 4; ++n) {
          right.load_transposed(b, 16 * k, c / 16 + n);
          multiply_add<T>(dq, 2 * n, a, b);
        }
      }
      add_to_queries(dq, q_head, column + first_row(), c);
    }
  }
  __device__ void add_to_queries(const float (&dq)[32], int q_head, int row, int column) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      if (row + 8 * half >= p_.q_rows) continue;
      float* to = p_.dq.at<float>(batch_, row + 8 * half, q_head) + column + first_column();
#pragma unroll
      for (int j = 0; j < 8; ++j) {
        if (column + 8 * j >= p_.dim) continue;
        ptx::atomic_add(to + 8 * j, p_.scale * dq[4 * j + 2 * half]);
        ptx::atomic_add(to + 8 * j + 1, p_.scale * dq[4 * j + 2 * half + 1]);
      }
    }
  }

  __device__ void write() {
    const int row = block_.row_begin + first_row();
    if constexpr (kWantsKey) add_to_gradient<T>(p_, p_.dk, p_.dim, batch_, kv_head_, row, 0, p_.scale, dk_);
    if constexpr (kWantsValue) add_to_gradient<T>(p_, p_.dv, p_.dim_v, batch_, kv_head_, row, 0, 1.0f, dv_);
  }

  const BackwardParameters& p_;
  ItemOrder::Item item_;
  const WorkList::Block& block_;  ///< read again where needed: registers are scarce
  int batch_, kv_head_;
  int first_head_;
  Steps steps_;
  int warp_;
  ptx::SharedAddress k_, v_, q_, dout_, ds_;
  unsigned char* ds_data_;
  float *offsets_, *deltas_;
  float offset_ = 0, delta_ = 0;
  float dk_[kWantsKey ? kDim / 2 : 1] = {}, dv_[kWantsValue ? kDimV / 2 : 1] = {};
};

template <typename T, int kDim, int kDimV, int kRows, Gradients kWanted>
__global__ void __launch_bounds__(2 * kRows) backward(const __grid_constant__ BackwardParameters p) {
  CPBENCH_SHARED_MEMORY(shared);
  Backward<T, kDim, kDimV, kRows, kWanted>(p, shared).run();
}

}  // namespace cpbench::sm80
