// The backward kernel for Hopper: wgmma, TMA, mbarriers, warp specialisation.
//
// A block keeps 128 keys with their K and V, 64 to a warpgroup, and walks over the queries of all heads that read them.
// Scores are computed transposed (keys are rows), so that P and dS are register operands of dV and dK; only dS goes
// through shared memory, for dQ, of which each warpgroup makes a 64 x 64 part. One warp loads; another one adds dQ to
// global memory, atomically: its sums come in no fixed order.
#pragma once

#include "backend/cuda/gradient.hpp"
#include "backend/cuda/sm90/operand.hpp"

namespace cpbench::sm90 {

/// Tensor maps of boxes of 128 bytes: kColumns rows of Q and dout, 128 rows of K and V, 64 rows of dQ.
struct BackwardMaps {
  CUtensorMap q, k, v, dout, dq;
};

/// Of the step that a stage holds: its band, with rows and columns that count from the block's and the step's first.
struct StagedStep {
  bool masked, last;
  WorkList::Band band;  ///< where it is masked
};

template <int kDim_, int kColumns_>
struct BackwardShape {
  static constexpr int kDim = kDim_, kColumns = kColumns_;  // dim_v is padded to the same width
  static constexpr int kRows = 128, kConsumers = 2, kThreads = 128 * (kConsumers + 1), kStages = 2;
  static constexpr int kProducerRegisters = 56, kConsumerRegisters = 224;

  static constexpr int kKBytes = kTileBytes<kRows, kDim>, kQBytes = kTileBytes<kColumns, kDim>;
  static constexpr int kScoreBytes = kTileBytes<kRows, kColumns>;  // of dS
  static constexpr int kQueryGradientBytes = 64 * 64 * 4;          // of a warpgroup's part of dQ
  static constexpr int kV = kKBytes, kQ = 2 * kKBytes, kDout = kQ + kStages * kQBytes,
                       kScores = kDout + kStages * kQBytes;
  static constexpr int kQueryGradients = kScores + kStages * kScoreBytes;
  static constexpr int kOffsets = kQueryGradients + kConsumers * kQueryGradientBytes;
  static constexpr int kDeltas = kOffsets + kStages * kColumns * 4, kSteps = kDeltas + kStages * kColumns * 4;
  static constexpr int kBarriers = kSteps + kStages * 32;
  static constexpr int kSharedBytes = kBarriers + 8 * (1 + 4 * kStages);
  /// The parts of dQ that the warpgroups make cover it.
  static_assert(kDim * kColumns == kConsumers * 64 * 64 && sizeof(StagedStep) <= 32);
};

template <typename T, typename Shape>
class Backward {
  static constexpr int kDim = Shape::kDim, kColumns = Shape::kColumns, kRows = Shape::kRows, kStages = Shape::kStages;
  static constexpr int kConsumers = Shape::kConsumers, kSlabs = kDim / kSlabColumns;
  static constexpr int kWriters = 128 + 32;  // threads at the barriers of a warpgroup and the warp that adds its dQ

 public:
  __device__ Backward(const BackwardParameters& p, const BackwardMaps& maps, unsigned char* shared)
      : p_(p), maps_(maps), data_(shared), shared_(ptx::shared_address(shared)) {}

  __device__ bool has_work() const { return keys().steps > 0; }

  /// By one thread.
  __device__ void init_barriers() {
    constexpr int kLoaders = 1 + 32;  // the copy, and the lanes that write statistics
    ptx::mbarrier_init(kv_full(), 1);
    for (int s = 0; s < kStages; ++s) {
      ptx::mbarrier_init(q_full(s), kLoaders);
      ptx::mbarrier_init(dout_full(s), kLoaders);
      ptx::mbarrier_init(q_empty(s), 4 * kConsumers);
      ptx::mbarrier_init(dout_empty(s), 4 * kConsumers);
    }
    ptx::fence_mbarrier_init();
  }

  /// By one thread: loads what TMA loads.
  __device__ void load() {
    const Keys at = keys();
    load_keys(at);
    Ring<kStages> ring;
    for_steps(at, [&](const Steps& steps, int /*left*/) {
      const int s = ring.stage;
      load_queries(q(s), maps_.q, at, steps, q_empty(s), q_full(s), ring.parity);
      load_queries(dout(s), maps_.dout, at, steps, dout_empty(s), dout_full(s), ring.parity);
      ring.advance();
    });
  }

  /// By one warp: loads the queries' offsets and deltas, and tells the consumers the step's band: they have no register
  /// to spare for walking the steps themselves.
  __device__ void load_statistics() {
    const Keys at = keys();
    Ring<kStages> ring;
    for_steps(at, [&](const Steps& steps, int left) {
      const int s = ring.stage;
      ptx::mbarrier_wait(q_empty(s), ring.parity ^ 1);
      if (lane_index() == 0) *staged(s) = staged_step(at.block.row_begin, steps, left == 0);
      for (int i = lane_index(); i < kColumns; i += 32) {
        offsets(s)[i] = offset_of(p_, at.batch, q_head(at, steps), steps.column() + i);
      }
      ptx::mbarrier_arrive(q_full(s));
      ptx::mbarrier_wait(dout_empty(s), ring.parity ^ 1);
      for (int i = lane_index(); i < kColumns; i += 32) {
        deltas(s)[i] = delta_of(p_, at.batch, q_head(at, steps), steps.column() + i);
      }
      ptx::mbarrier_arrive(dout_full(s));
      ring.advance();
    });
  }

  /// By one warp: adds dQ to global memory.
  __device__ void write_query_gradients() {
    for (int w = 0; w < kConsumers; ++w) ptx::barrier_arrive(dq_empty(w), kWriters);
    const Keys at = keys();
    for_steps(at, [&](const Steps& steps, int left) {
      for (int w = 0; w < kConsumers; ++w) {
        ptx::barrier_sync(dq_full(w), kWriters);
        if (lane_index() == 0) add_query_gradient(w, at, steps);
      }
      if (lane_index() == 0) ptx::bulk_wait_read<0>();
      ptx::warp_sync();
      for (int w = 0; w < kConsumers && left > 0; ++w) ptx::barrier_arrive(dq_empty(w), kWriters);
    });
  }

  /// By the warpgroup of `consumer`, from 0.
  __device__ void consume(int consumer) {
    consumer_ = consumer;
    if (has_work()) {
      ptx::mbarrier_wait(kv_full(), 0);
      Ring<kStages> ring;
      while (attend(ring.stage, ring.parity)) ring.advance();
    } else if (!p_.first_dkv) {
      return;
    }
    const Keys at = keys();
    const int row = at.block.row_begin + first_row();
    add_to_gradient<T>(p_, p_.dk, p_.dim, at.batch, at.head, row, 0, p_.scale, dk_);
    add_to_gradient<T>(p_, p_.dv, p_.dim_v, at.batch, at.head, row, 0, 1.0f, dv_);
  }

 private:
  /// The block's keys: `steps` counts those of all heads that read them.
  struct Keys {
    int batch, head;
    WorkList::Block block;
    int steps;
  };
  /// Asked for where they are needed: registers are scarce.
  __device__ Keys keys() const {
    const ItemOrder::Item item = p_.order.item(ptx::block_index());
    const int head = item.unit % p_.kv_heads;
    const WorkList::Block& block = p_.work.blocks[item.block];
    return {item.unit / p_.kv_heads, head, block, (p_.head_end(head) - p_.head_begin(head)) * block.steps};
  }

  /// The first of the warp's rows among the warpgroup's, and the lane. Unsigned division needs fewer registers.
  struct ThreadPlace {
    int warp_row, lane;
  };
  __device__ static ThreadPlace thread_place() {
    const unsigned thread = static_cast<unsigned>(ptx::thread_index()) % 128;
    return {static_cast<int>(thread / 32 * 16), static_cast<int>(thread % 32)};
  }

  // --- Shared memory ---
  __device__ ptx::SharedAddress place(int offset) const { return shared_ + static_cast<unsigned>(offset); }
  __device__ ptx::SharedAddress k() const { return shared_; }
  __device__ ptx::SharedAddress v() const { return place(Shape::kV); }
  __device__ ptx::SharedAddress q(int stage) const { return place(Shape::kQ + stage * Shape::kQBytes); }
  __device__ ptx::SharedAddress dout(int stage) const { return place(Shape::kDout + stage * Shape::kQBytes); }
  __device__ ptx::SharedAddress scores(int stage) const { return place(Shape::kScores + stage * Shape::kScoreBytes); }
  __device__ float* offsets(int stage) const {
    return reinterpret_cast<float*>(data_ + Shape::kOffsets) + stage * kColumns;
  }
  __device__ float* deltas(int stage) const {
    return reinterpret_cast<float*>(data_ + Shape::kDeltas) + stage * kColumns;
  }
  __device__ StagedStep* staged(int stage) const {
    return reinterpret_cast<StagedStep*>(data_ + Shape::kSteps) + stage;
  }
  __device__ ptx::SharedAddress kv_full() const { return place(Shape::kBarriers); }
  __device__ ptx::SharedAddress q_full(int s) const { return place(Shape::kBarriers + 8 * (1 + s)); }
  __device__ ptx::SharedAddress q_empty(int s) const { return place(Shape::kBarriers + 8 * (1 + kStages + s)); }
  __device__ ptx::SharedAddress dout_full(int s) const { return place(Shape::kBarriers + 8 * (1 + 2 * kStages + s)); }
  __device__ ptx::SharedAddress dout_empty(int s) const { return place(Shape::kBarriers + 8 * (1 + 3 * kStages + s)); }

  // --- Named barriers ---
  static constexpr int kScoresBarrier = 1;
  __device__ static int dq_full(int consumer) { return 2 + consumer; }
  __device__ static int dq_empty(int consumer) { return 2 + kConsumers + consumer; }

  /// Calls work(steps, left) for every step, in a round for each head that reads the keys; `left` come after it.
  template <typename Work>
  __device__ void for_steps(const Keys& at, Work&& work) {
    Steps steps(p_.work, at.block);
    for (int left = at.steps - 1; left >= 0; --left) {
      steps.advance();
      work(steps, left);
    }
  }
  __device__ int q_head(const Keys& at, const Steps& steps) const {
    return p_.heads.q_begin + p_.head_begin(at.head) + steps.round();
  }

  // --- Loads ---
  template <int kTileRows>
  __device__ static void load_slabs(ptx::SharedAddress to, const CUtensorMap& map, int row, int head, int batch,
                                    ptx::SharedAddress full) {
#pragma unroll
    for (int slab = 0; slab < kSlabs; ++slab) {
      ptx::load_box(to + static_cast<unsigned>(slab * kTileRows * kRowBytes), &map, slab * kSlabColumns, row, head,
                    batch, full);
    }
  }

  __device__ void load_keys(const Keys& at) {
    const int row = at.block.row_begin - p_.work.row_begin;
    ptx::mbarrier_arrive_expect(kv_full(), 2 * Shape::kKBytes);
    load_slabs<kRows>(k(), maps_.k, row, at.head, at.batch, kv_full());
    load_slabs<kRows>(v(), maps_.v, row, at.head, at.batch, kv_full());
  }

  __device__ void load_queries(ptx::SharedAddress to, const CUtensorMap& map, const Keys& at, const Steps& steps,
                               ptx::SharedAddress empty, ptx::SharedAddress full, int parity) {
    ptx::mbarrier_wait(empty, parity ^ 1);
    ptx::mbarrier_arrive_expect(full, Shape::kQBytes);
    load_slabs<kColumns>(to, map, steps.column(), q_head(at, steps), at.batch, full);
  }

  __device__ static StagedStep staged_step(int row, const Steps& steps, bool last) {
    if (!steps.masked()) return {.masked = false, .last = last, .band = {}};
    const int column = steps.column();
    const WorkList::Band& band = steps.band();
    return {.masked = true,
            .last = last,
            .band = {band.row_begin - row, band.row_end - row, band.column_begin - column, band.column_end - column,
                     band.lo + row - column, band.hi + row - column}};
  }

  // --- Sums of dQ ---
  /// The part of dQ that a warpgroup makes: 64 queries from 64 * part_rows, 64 columns from 64 * part_slab.
  __device__ static int part_rows(int consumer) { return consumer % (kColumns / 64); }
  __device__ static int part_slab(int consumer) { return consumer / (kColumns / 64); }

  __device__ void add_query_gradient(int consumer, const Keys& at, const Steps& steps) {
    const int from = Shape::kQueryGradients + consumer * Shape::kQueryGradientBytes;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      ptx::add_box(&maps_.dq, kSlabColumns * part_slab(consumer) + 32 * half, steps.column() + 64 * part_rows(consumer),
                   q_head(at, steps), at.batch, place(from + half * (64 * kRowBytes)));
    }
    ptx::bulk_commit();
  }

  /// To shared memory, as two boxes of 32 columns with swizzled rows of 128 bytes. Half a warp stores four rows at
  /// once, and in that order two neighbouring ones would meet in the same two pieces, and so in the same banks: the odd
  /// one stores the two halves of its columns the other way round.
  __device__ void save_query_gradient(const float (&dq)[32]) {
    const auto [warp_row, lane] = thread_place();
    const int row = warp_row + lane / 4;
    const bool odd = lane / 4 % 2 != 0;
    unsigned char* to =
        data_ + Shape::kQueryGradients + consumer_ * Shape::kQueryGradientBytes + row * kRowBytes + lane % 2 * 8;
    const int piece = lane % 4 / 2 ^ lane / 4 ^ (odd ? 4 : 0);  // of the first column; lane / 4 is row % 8
#pragma unroll
    for (int j = 0; j < 8; ++j) {
      const auto scaled = [&](int e) { return p_.scale * (odd ? dq[4 * (j ^ 2) + e] : dq[4 * j + e]); };
      auto* pair = to + j / 4 * (64 * kRowBytes) + (piece ^ j % 4 * 2) * 16;
      *reinterpret_cast<float2*>(pair) = {scaled(0), scaled(1)};
      *reinterpret_cast<float2*>(pair + 8 * kRowBytes) = {scaled(2), scaled(3)};
    }
  }

  // --- Consumer ---
  /// The lane's first key, in the block.
  __device__ int first_row() const {
    const auto [warp_row, lane] = thread_place();
    return 64 * consumer_ + warp_row + lane / 4;
  }

  __device__ static void release(ptx::SharedAddress barrier) {
    ptx::warp_sync();
    if (thread_place().lane == 0) ptx::mbarrier_arrive(barrier);
  }

  /// The step of a stage. Whether more follow.
  __device__ bool attend(int s, int parity) {
    float p[kColumns / 2], ds[kColumns / 2];
    ptx::mbarrier_wait(q_full(s), parity);
    multiply_transposed(p, k(), q(s));
    ptx::mbarrier_wait(dout_full(s), parity);
    multiply_transposed(ds, v(), dout(s));

    ptx::wgmma_wait<1>();
    ptx::hold_registers(p);
    probabilities(p, offsets(s), p_.scale_log2);
    if (staged(s)->masked) set_outside(p, staged(s)->band, first_row(), 0, 0);
    ptx::wgmma_wait<0>();
    ptx::hold_registers(ds);
    score_gradients(ds, p, deltas(s));

    std::uint32_t weights[kColumns / 16][4], gradients[kColumns / 16][4];
#pragma unroll
    for (int k16 = 0; k16 < kColumns / 16; ++k16) pack_operand<T>(weights[k16], p, k16);
#pragma unroll
    for (int k16 = 0; k16 < kColumns / 16; ++k16) pack_operand<T>(gradients[k16], ds, k16);
    add_product(dv_, weights, dout(s));
    save_score_gradients(s, gradients);
    ptx::fence_proxy_async();
    ptx::barrier_sync(kScoresBarrier, 128 * kConsumers);

    float dq[32];
    multiply_query_gradient(dq, s);
    add_product(dk_, gradients, q(s));
    ptx::wgmma_wait<1>();
    ptx::hold_registers(dv_);
    ptx::hold_registers(dq);
    hold_operands(weights);
    release(dout_empty(s));
    ptx::barrier_sync(dq_empty(consumer_), kWriters);
    save_query_gradient(dq);
    ptx::fence_proxy_async();
    ptx::barrier_arrive(dq_full(consumer_), kWriters);
    ptx::wgmma_wait<0>();
    ptx::hold_registers(dk_);
    hold_operands(gradients);
    const bool more = !staged(s)->last;
    release(q_empty(s));
    return more;
  }

  template <int kCount>
  __device__ static void hold_operands(std::uint32_t (&operands)[kCount][4]) {
#pragma unroll
    for (int i = 0; i < kCount; ++i) ptx::hold_registers(operands[i]);
  }

  /// Starts d = the warpgroup's rows of one tile, times the other one transposed.
  __device__ void multiply_transposed(float (&d)[kColumns / 2], ptx::SharedAddress rows, ptx::SharedAddress columns) {
    ptx::hold_registers(d);
    ptx::wgmma_fence();
#pragma unroll
    for (int k16 = 0; k16 < kDim / 16; ++k16) {
      ptx::wgmma<T, kColumns, ptx::Major::kSummed, ptx::Major::kSummed>(d, by_columns<kRows>(rows, 64 * consumer_, k16),
                                                                        by_columns<kColumns>(columns, 0, k16), k16 > 0);
    }
    ptx::wgmma_commit();
  }

  /// Starts d += a * the tile, whose rows are queries.
  __device__ void add_product(float (&d)[kDim / 2], std::uint32_t (&a)[kColumns / 16][4], ptx::SharedAddress tile) {
    ptx::hold_registers(d);
    hold_operands(a);
    ptx::wgmma_fence();
#pragma unroll
    for (int k16 = 0; k16 < kColumns / 16; ++k16) {
      ptx::wgmma<T, kDim, ptx::Major::kOther>(d, a[k16], by_rows<kColumns>(tile, 0, k16), true);
    }
    ptx::wgmma_commit();
  }

  /// Starts the warpgroup's part of dQ = dS K, over the keys of both warpgroups.
  __device__ void multiply_query_gradient(float (&dq)[32], int s) {
    ptx::hold_registers(dq);
    ptx::wgmma_fence();
#pragma unroll
    for (int k16 = 0; k16 < kRows / 16; ++k16) {
      ptx::wgmma<T, 64, ptx::Major::kOther, ptx::Major::kOther>(
          dq, by_rows<kRows>(scores(s), part_rows(consumer_), k16), by_rows<kRows>(k(), part_slab(consumer_), k16),
          k16 > 0);
    }
    ptx::wgmma_commit();
  }

  /// dS of the warpgroup's keys, to the stage that no warpgroup reads: rows are keys, columns queries.
  __device__ void save_score_gradients(int s, const std::uint32_t (&gradients)[kColumns / 16][4]) {
    const auto [warp_row, lane] = thread_place();
    const int row = 64 * consumer_ + warp_row;
#pragma unroll
    for (int k16 = 0; k16 < kColumns / 16; ++k16) {
      const auto slab = scores(s) + static_cast<unsigned>(k16 / 4 * kRows * kRowBytes);
      ptx::store_matrix_x4(result_row(slab, row, k16 % 4, lane), gradients[k16]);
    }
  }

  const BackwardParameters& p_;
  const BackwardMaps& maps_;
  unsigned char* data_;
  ptx::SharedAddress shared_;
  int consumer_ = 0;
  float dk_[kDim / 2] = {}, dv_[kDim / 2] = {};
};

template <typename T, typename Shape>
__global__ void __launch_bounds__(Shape::kThreads, 1)
    backward(const __grid_constant__ BackwardParameters p, const __grid_constant__ BackwardMaps maps) {
  CPBENCH_SHARED_MEMORY(shared);
  Backward<T, Shape> kernel(p, maps, shared);
  if (ptx::thread_index() == 0) kernel.init_barriers();
  ptx::block_sync();
  const int warp = ptx::shuffle(ptx::thread_index() / 32, 0);
  if (warp < 4) {
    ptx::lower_registers<Shape::kProducerRegisters>();
    if (!kernel.has_work()) return;
    if (ptx::thread_index() == 0) kernel.load();
    if (warp == 1) kernel.load_statistics();
    if (warp == 2) kernel.write_query_gradients();
  } else {
    ptx::raise_registers<Shape::kConsumerRegisters>();
    kernel.consume(warp / 4 - 1);
  }
}

}  // namespace cpbench::sm90
