// The tensor memory accelerator, sm_90: boxes of tensors in global memory to and from shared memory.
//
// A tensor map describes a tensor of four axes, the innermost one contiguous, a box that is copied at once, and how the
// box lies in shared memory (tensor_map.hpp). Coordinates c0 (innermost) to c3 count elements and may lie outside:
// elements outside the tensor are read as zero and not written. All are called by one thread.
#pragma once

#include "backend/cuda/ptx/block.hpp"
#include "backend/cuda/runtime.hpp"

namespace cpbench::ptx {

__device__ inline void prefetch_tensor_map(const CUtensorMap* map) {
  asm volatile("prefetch.tensormap [%0];" ::"l"(map) : "memory");
}

/// Starts the copy of a box to shared memory; when it is there, the barrier's pending bytes drop by those of the whole
/// box, with the part outside the tensor.
__device__ inline void load_box(SharedAddress to, const CUtensorMap* map, int c0, int c1, int c2, int c3,
                                SharedAddress barrier) {
  asm volatile(
      "cp.async.bulk.tensor.4d.shared::cluster.global.tile.mbarrier::complete_tx::bytes "
      "[%0], [%1, {%2, %3, %4, %5}], [%6];" ::"r"(to),
      "l"(map), "r"(c0), "r"(c1), "r"(c2), "r"(c3), "r"(barrier)
      : "memory");
}

/// Starts the copy of a box from shared memory, as part of the thread's open bulk group. Ordinary writes to the source
/// need fence_proxy_async before.
__device__ inline void store_box(const CUtensorMap* map, int c0, int c1, int c2, int c3, SharedAddress from) {
  asm volatile("cp.async.bulk.tensor.4d.global.shared::cta.tile.bulk_group [%0, {%1, %2, %3, %4}], [%5];" ::"l"(map),
               "r"(c0), "r"(c1), "r"(c2), "r"(c3), "r"(from)
               : "memory");
}
/// The same, adding to what is there (fp32), each element atomically.
__device__ inline void add_box(const CUtensorMap* map, int c0, int c1, int c2, int c3, SharedAddress from) {
  asm volatile(
      "cp.reduce.async.bulk.tensor.4d.global.shared::cta.add.tile.bulk_group [%0, {%1, %2, %3, %4}], [%5];" ::"l"(map),
      "r"(c0), "r"(c1), "r"(c2), "r"(c3), "r"(from)
      : "memory");
}

/// Closes the group of this thread's store_box and add_box since the last call.
__device__ inline void bulk_commit() { asm volatile("cp.async.bulk.commit_group;" ::: "memory"); }
/// Waits until at most `kPending` of this thread's youngest groups have still to read their source.
template <int kPending>
__device__ inline void bulk_wait_read() {
  asm volatile("cp.async.bulk.wait_group.read %0;" ::"n"(kPending) : "memory");
}
/// Waits until at most `kPending` of this thread's youngest groups are unfinished: their writes are made.
template <int kPending>
__device__ inline void bulk_wait() {
  asm volatile("cp.async.bulk.wait_group %0;" ::"n"(kPending) : "memory");
}

}  // namespace cpbench::ptx
