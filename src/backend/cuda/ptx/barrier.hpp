// Barriers among the threads of a block, and what lanes of a warp say to each other.
#pragma once

#include <cstdint>

namespace cpbench::ptx {

/// All threads of the block: waits for all, and orders their accesses to shared and global memory.
__device__ inline void block_sync() { __syncthreads(); }

/// Named barrier `id` (1 to 15; 0 is block_sync's) of `threads` threads, a multiple of 32 that counts those who arrive
/// and those who wait. Warp. Waits, and orders memory as block_sync does.
__device__ inline void barrier_sync(int id, int threads) {
  asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads) : "memory");
}
/// Warp. Arrives without waiting: what the warp did before is visible to those that wait.
__device__ inline void barrier_arrive(int id, int threads) {
  asm volatile("bar.arrive %0, %1;" ::"r"(id), "r"(threads) : "memory");
}

/// Warp: waits for all lanes and orders their accesses to memory.
__device__ inline void warp_sync() { __syncwarp(); }

/// Warp: the value of the lane whose index differs by the bits of `mask`. Orders no memory.
__device__ inline float shuffle_xor(float value, int mask) { return __shfl_xor_sync(0xffffffffu, value, mask); }
/// Warp: the value of lane `lane`.
__device__ inline int shuffle(int value, int lane) { return __shfl_sync(0xffffffffu, value, lane); }
__device__ inline float shuffle(float value, int lane) { return __shfl_sync(0xffffffffu, value, lane); }
/// Warp: whether the predicate holds in some lane, in all lanes.
__device__ inline bool any(bool predicate) { return __any_sync(0xffffffffu, predicate) != 0; }
__device__ inline bool all(bool predicate) { return __all_sync(0xffffffffu, predicate) != 0; }

}  // namespace cpbench::ptx
