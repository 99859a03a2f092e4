// The forward kernel for Hopper: wgmma, TMA, mbarriers, warp specialisation.
//
// Blocks stay and take items from a counter, longest first. The first warpgroup's first thread loads: Q once per item,
// K and V into two stages each. Each other warpgroup attends 64 queries. It starts the scores of a step before the
// outputs of the step before, so that the softmax runs while the tensor cores work; and the warpgroups take turns at
// starting, so that one's softmax runs beside another's products.
#pragma once

#include "backend/cuda/sm90/operand.hpp"
#include "backend/cuda/softmax.hpp"

namespace cpbench::sm90 {

/// Tensor maps of boxes of 64 columns: 64 rows of Q and out, kColumns rows of K and V.
struct ForwardMaps {
  CUtensorMap q, k, v, out;
};

template <int kDim_, int kDimV_, int kConsumers_, int kColumns_>
struct ForwardShape {
  static constexpr int kDim = kDim_, kDimV = kDimV_, kConsumers = kConsumers_, kColumns = kColumns_;
  static constexpr int kRows = 64 * kConsumers, kThreads = 128 * (kConsumers + 1), kStages = 2;
  static constexpr int kProducerRegisters = kConsumers == 2 ? 40 : 32;
  static constexpr int kConsumerRegisters = kConsumers == 2 ? 232 : 160;

  static constexpr int kQBytes = kTileBytes<64, kDim>;  // of a warpgroup; its output takes the same place
  static constexpr int kKBytes = kTileBytes<kColumns, kDim>, kVBytes = kTileBytes<kColumns, kDimV>;
  static constexpr int kK = kConsumers * kQBytes, kV = kK + kStages * kKBytes, kBarriers = kV + kStages * kVBytes;
  static constexpr int kBarrierCount = 2 * kConsumers + 4 * kStages + 2;
  static constexpr int kSharedBytes = kBarriers + 8 * kBarrierCount + 8;
  static_assert(kDimV <= kDim && kQBytes % kEightRows == 0 && kKBytes % kEightRows == 0 && kVBytes % kEightRows == 0);
};

template <typename T, typename Shape>
class Forward {
  static constexpr int kDim = Shape::kDim, kDimV = Shape::kDimV, kConsumers = Shape::kConsumers;
  static constexpr int kColumns = Shape::kColumns, kStages = Shape::kStages;
  /// The outputs are accumulated in chunks of a width that wgmma has.
  static constexpr int kChunk = kDimV % 128 == 0 ? 128 : 64, kChunks = kDimV / kChunk;
  static constexpr int kNoItem = -1;

 public:
  __device__ Forward(const ForwardParameters& p, const ForwardMaps& maps, std::int32_t* counter, unsigned char* shared)
      : p_(p),
        maps_(maps),
        counter_(counter),
        shared_(ptx::shared_address(shared)),
        slot_(reinterpret_cast<std::int32_t*>(shared + Shape::kBarriers + 8 * Shape::kBarrierCount)) {}

  /// By one thread.
  __device__ void init_barriers() {
    constexpr int kEveryWarp = 4 * kConsumers;
    for (int w = 0; w < kConsumers; ++w) {
      ptx::mbarrier_init(q_full(w), 1);
      ptx::mbarrier_init(q_empty(w), 1);
    }
    for (int s = 0; s < kStages; ++s) {
      ptx::mbarrier_init(k_full(s), 1);
      ptx::mbarrier_init(v_full(s), 1);
      ptx::mbarrier_init(k_empty(s), kEveryWarp);
      ptx::mbarrier_init(v_empty(s), kEveryWarp);
    }
    ptx::mbarrier_init(item_full(), 1);
    ptx::mbarrier_init(item_empty(), kEveryWarp);
    ptx::fence_mbarrier_init();
  }

  /// By one thread: loads for all items of the block, and tells the consumers which they are.
  __device__ void produce() {
    ptx::prefetch_tensor_map(&maps_.q);
    ptx::prefetch_tensor_map(&maps_.k);
    ptx::prefetch_tensor_map(&maps_.v);
    const int items = p_.order.items();
    int item = ptx::block_index();
    for (int parity = 0; item < items; parity ^= 1) {
      // Asked for early: the answer takes a while.
      const int next = ptx::block_count() + ptx::atomic_add(counter_, 1);
      announce(item, parity);
      load_item(p_.order.item(item), parity);
      item = next;
      last_parity_ = parity ^ 1;
    }
    announce(kNoItem, last_parity_);
  }

  /// By the warpgroup of `consumer`, from 0.
  __device__ void consume(int consumer) {
    consumer_ = consumer;
    if (consumer_ == kConsumers - 1) ptx::barrier_arrive(turn_barrier(0), 256);
    for (int parity = 0;; parity ^= 1) {
      ptx::mbarrier_wait(item_full(), parity);
      const int item = *slot_;
      release(item_empty());
      if (item == kNoItem) break;
      attend(p_.order.item(item), parity);
    }
    if (consumer_ == 0) ptx::barrier_sync(turn_barrier(0), 256);  // the turn that was passed on last
  }

 private:
  // --- Shared memory ---
  __device__ ptx::SharedAddress q(int w) const { return shared_ + static_cast<unsigned>(w * Shape::kQBytes); }
  __device__ ptx::SharedAddress k(int stage) const {
    return shared_ + static_cast<unsigned>(Shape::kK + stage * Shape::kKBytes);
  }
  __device__ ptx::SharedAddress v(int stage) const {
    return shared_ + static_cast<unsigned>(Shape::kV + stage * Shape::kVBytes);
  }
  __device__ ptx::SharedAddress barrier(int index) const {
    return shared_ + static_cast<unsigned>(Shape::kBarriers + 8 * index);
  }
  __device__ ptx::SharedAddress item_full() const { return barrier(0); }
  __device__ ptx::SharedAddress item_empty() const { return barrier(1); }
  __device__ ptx::SharedAddress q_full(int w) const { return barrier(2 + w); }
  __device__ ptx::SharedAddress q_empty(int w) const { return barrier(2 + kConsumers + w); }
  __device__ ptx::SharedAddress k_full(int s) const { return barrier(2 + 2 * kConsumers + s); }
  __device__ ptx::SharedAddress k_empty(int s) const { return barrier(2 + 2 * kConsumers + kStages + s); }
  __device__ ptx::SharedAddress v_full(int s) const { return barrier(2 + 2 * kConsumers + 2 * kStages + s); }
  __device__ ptx::SharedAddress v_empty(int s) const { return barrier(2 + 2 * kConsumers + 3 * kStages + s); }

  // --- Named barriers ---
  __device__ static int turn_barrier(int consumer) { return 1 + consumer; }
  __device__ int own_barrier() const { return 1 + kConsumers + consumer_; }

  // --- Producer ---
  __device__ void announce(int item, int parity) {
    ptx::mbarrier_wait(item_empty(), parity ^ 1);
    *slot_ = item;
    ptx::mbarrier_arrive(item_full());
  }

  template <int kSlabs, int kRows>
  __device__ static void load_slabs(ptx::SharedAddress to, const CUtensorMap& map, int row, int head, int batch,
                                    ptx::SharedAddress full) {
    ptx::mbarrier_arrive_expect(full, kSlabs * kRows * kRowBytes);
#pragma unroll
    for (int slab = 0; slab < kSlabs; ++slab) {
      ptx::load_box(to + static_cast<unsigned>(slab * kRows * kRowBytes), &map, slab * kSlabColumns, row, head, batch,
                    full);
    }
  }

  __device__ void load_queries(const QueryRows& at, int row, int parity) {
#pragma unroll 1
    for (int w = 0; w < kConsumers; ++w) {
      ptx::mbarrier_wait(q_empty(w), parity ^ 1);
      load_slabs<kDim / kSlabColumns, 64>(q(w), maps_.q, row + 64 * w, at.q_head, at.batch, q_full(w));
    }
  }

  /// The first keys before the queries: their stage is free while the consumers still end the item before.
  __device__ void load_item(const ItemOrder::Item& item, int parity) {
    const QueryRows at(p_, item.unit);
    const WorkList::Block block = p_.work.blocks[item.block];
    Steps steps(p_.work, block);
    for (int step = 0;; ++step) {
      const bool more = step < block.steps;
      if (more) steps.advance();
      const int row = steps.column() - p_.work.column_begin, s = ring_.stage;
      if (more) {
        ptx::mbarrier_wait(k_empty(s), ring_.parity ^ 1);
        load_slabs<kDim / kSlabColumns, kColumns>(k(s), maps_.k, row, at.kv_head, at.batch, k_full(s));
      }
      if (step == 0) load_queries(at, block.row_begin, parity);  // also where there are no steps
      if (!more) return;
      ptx::mbarrier_wait(v_empty(s), ring_.parity ^ 1);
      load_slabs<kDimV / kSlabColumns, kColumns>(v(s), maps_.v, row, at.kv_head, at.batch, v_full(s));
      ring_.advance();
    }
  }

  // --- Consumer ---
  /// The warp has done with what the barrier guards.
  __device__ static void release(ptx::SharedAddress barrier) {
    ptx::warp_sync();
    if (lane_index() == 0) ptx::mbarrier_arrive(barrier);
  }

  __device__ void attend(const ItemOrder::Item& item, int parity) {
    const QueryRows at(p_, item.unit);
    const WorkList::Block block = p_.work.blocks[item.block];
    const int warp_row = ptx::thread_index() % 128 / 32 * 16;
    const int row = block.row_begin + 64 * consumer_ + warp_row + lane_index() / 4;
    rows_ = start_rows(p_, at, row);
#pragma unroll
    for (int c = 0; c < kChunks; ++c) start_output(p_, at, row, c * kChunk, o_[c]);

    ptx::mbarrier_wait(q_full(consumer_), parity);
    if (block.steps > 0) attend_steps(block, row);
    finish(at, block.row_begin + 64 * consumer_, warp_row, row);
  }

  __device__ void attend_steps(const WorkList::Block& block, int row) {
    Steps steps(p_.work, block);
    Ring<kStages> values = ring_;
    steps.advance();
    ptx::mbarrier_wait(k_full(ring_.stage), ring_.parity);
    start_scores();
    ptx::wgmma_wait<0>();
    end_scores();
    float shrink[2];
    soften(steps, row, shrink);
    scale_output(shrink);
    for (int step = 1; step < block.steps; ++step) {
      steps.advance();
      ptx::mbarrier_wait(k_full(ring_.stage), ring_.parity);
      ptx::barrier_sync(turn_barrier(consumer_), 256);
      start_scores();
      ptx::mbarrier_wait(v_full(values.stage), values.parity);
      start_outputs(values.stage);
      ptx::barrier_arrive(turn_barrier((consumer_ + 1) % kConsumers), 256);
      ptx::wgmma_wait<1>();
      end_scores();
      soften(steps, row, shrink);
      ptx::compute_before_waiting(rows_.l[0] + rows_.l[1]);
      ptx::wgmma_wait<0>();
      end_outputs(values);
      scale_output(shrink);
    }
    ptx::mbarrier_wait(v_full(values.stage), values.parity);
    start_outputs(values.stage);
    ptx::wgmma_wait<0>();
    end_outputs(values);
  }

  __device__ void start_scores() {
    ptx::hold_registers(s_);
    ptx::wgmma_fence();
#pragma unroll
    for (int k16 = 0; k16 < kDim / 16; ++k16) {
      ptx::wgmma<T, kColumns, ptx::Major::kSummed, ptx::Major::kSummed>(
          s_, by_columns<64>(q(consumer_), 0, k16), by_columns<kColumns>(k(ring_.stage), 0, k16), k16 > 0);
    }
    ptx::wgmma_commit();
  }
  __device__ void end_scores() {
    ptx::hold_registers(s_);
    release(k_empty(ring_.stage));
    ring_.advance();
  }

  __device__ void start_outputs(int stage) {
#pragma unroll
    for (int c = 0; c < kChunks; ++c) ptx::hold_registers(o_[c]);
#pragma unroll
    for (int k16 = 0; k16 < kColumns / 16; ++k16) ptx::hold_registers(weights_[k16]);
    ptx::wgmma_fence();
#pragma unroll
    for (int k16 = 0; k16 < kColumns / 16; ++k16) {
#pragma unroll
      for (int c = 0; c < kChunks; ++c) {
        ptx::wgmma<T, kChunk, ptx::Major::kOther>(o_[c], weights_[k16],
                                                  by_rows<kColumns>(v(stage), c * (kChunk / kSlabColumns), k16), true);
      }
    }
    ptx::wgmma_commit();
  }
  __device__ void end_outputs(Ring<kStages>& values) {
#pragma unroll
    for (int c = 0; c < kChunks; ++c) ptx::hold_registers(o_[c]);
#pragma unroll
    for (int k16 = 0; k16 < kColumns / 16; ++k16) ptx::hold_registers(weights_[k16]);
    release(v_empty(values.stage));
    values.advance();
  }

  __device__ void soften(const Steps& steps, int row, float (&shrink)[2]) {
    if (steps.masked()) set_outside(s_, steps.band(), row, steps.column(), kMinusInfinity);
    online_softmax(s_, rows_, shrink, p_.scale_log2);
  }

  /// Outputs so far relative to the new maxima, and the weights of the next ones: both only when no wgmma uses them.
  __device__ void scale_output(const float (&shrink)[2]) {
#pragma unroll
    for (int c = 0; c < kChunks; ++c) scale_rows(o_[c], shrink);
#pragma unroll
    for (int k16 = 0; k16 < kColumns / 16; ++k16) pack_operand<T>(weights_[k16], s_, k16);
  }

  // --- End of an item ---
  __device__ void finish(const QueryRows& at, int group_row, int warp_row, int row) {
    const bool leader = ptx::thread_index() % 128 == 0;
    if (p_.last) {
      float inverse[2];
      finish_rows(p_, at, row, rows_, inverse);
      stage_output(warp_row, inverse);
      ptx::fence_proxy_async();
      ptx::barrier_sync(own_barrier(), 128);
      if (leader) store_output(at, group_row);
    } else {
      save_rows(p_, at, row, rows_);
#pragma unroll
      for (int c = 0; c < kChunks; ++c) save_output(p_, at, row, c * kChunk, o_[c]);
      ptx::barrier_sync(own_barrier(), 128);  // every warp has read Q
    }
    if (leader) ptx::mbarrier_arrive(q_empty(consumer_));
  }

  /// The warpgroup's outputs, to where its Q was. Each warp has its own 16 rows of both.
  __device__ void stage_output(int warp_row, const float (&inverse)[2]) {
    ptx::barrier_sync(own_barrier(), 128);  // every warp has read Q
    std::uint32_t lane[] = {static_cast<unsigned>(lane_index())};
    // Held, so that addresses are made here: made once for all items, as ptxas likes it, they would lie in registers
    // while steps are attended, and three consumers have none to spare.
    if constexpr (kConsumers > 2) ptx::hold_registers(lane);
#pragma unroll
    for (int c = 0; c < kChunks; ++c) {
      scale_rows(o_[c], inverse);
#pragma unroll
      for (int k16 = 0; k16 < kChunk / 16; ++k16) {
        std::uint32_t packed[4];
        pack_operand<T>(packed, o_[c], k16);
        const auto slab = static_cast<unsigned>((c * kChunk + 16 * k16) / kSlabColumns * 64 * kRowBytes);
        ptx::store_matrix_x4(result_row(q(consumer_) + slab, warp_row, k16 % 4, static_cast<int>(lane[0])), packed);
      }
    }
  }

  __device__ void store_output(const QueryRows& at, int group_row) {
#pragma unroll
    for (int slab = 0; slab < kDimV / kSlabColumns; ++slab) {
      ptx::store_box(&maps_.out, slab * kSlabColumns, group_row, at.q_head, at.batch,
                     q(consumer_) + static_cast<unsigned>(slab * 64 * kRowBytes));
    }
    ptx::bulk_commit();
    ptx::bulk_wait_read<0>();
  }

  const ForwardParameters& p_;
  const ForwardMaps& maps_;
  std::int32_t* counter_;
  ptx::SharedAddress shared_;
  std::int32_t* slot_;  ///< the item that the consumers take next
  int consumer_ = 0, last_parity_ = 0;
  Ring<kStages> ring_;  ///< of K, and of V too where the producer loads them
  RowPair rows_;
  float s_[kColumns / 2], o_[kChunks][kChunk / 2];
  std::uint32_t weights_[kColumns / 16][4];
};

template <typename T, typename Shape>
__global__ void __launch_bounds__(Shape::kThreads, 1)
    forward(const __grid_constant__ ForwardParameters p, const __grid_constant__ ForwardMaps maps,
            std::int32_t* counter) {
  CPBENCH_SHARED_MEMORY(shared);
  Forward<T, Shape> kernel(p, maps, counter, shared);
  if (ptx::thread_index() == 0) kernel.init_barriers();
  ptx::block_sync();
  const int warpgroup = ptx::shuffle(ptx::thread_index() / 128, 0);
  if (warpgroup == 0) {
    ptx::lower_registers<Shape::kProducerRegisters>();
    if (ptx::thread_index() == 0) kernel.produce();
  } else {
    ptx::raise_registers<Shape::kConsumerRegisters>();
    kernel.consume(warpgroup - 1);
  }
}

}  // namespace cpbench::sm90
