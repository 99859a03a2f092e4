// A warp for each row of a matrix.
#pragma once

#include <cmath>
#include <cstdint>

#include "backend/cuda/ptx/ptx.hpp"

namespace cpbench::cuda {

inline constexpr int kRowThreads = 256, kRowsPerBlock = kRowThreads / 32;

/// The row of the calling warp in a grid of blocks_for_rows.
__device__ inline int warp_row() { return ptx::block_index() * kRowsPerBlock + ptx::thread_index() / 32; }
__device__ inline int warp_lane() { return ptx::thread_index() % 32; }
inline int blocks_for_rows(int rows) { return (rows + kRowsPerBlock - 1) / kRowsPerBlock; }

/// Of all lanes, on all lanes.
__device__ inline float warp_sum(float value) {
  for (int mask = 16; mask > 0; mask /= 2) value += ptx::shuffle_xor(value, mask);
  return value;
}
__device__ inline float warp_max(float value) {
  for (int mask = 16; mask > 0; mask /= 2) value = fmaxf(value, ptx::shuffle_xor(value, mask));
  return value;
}

}  // namespace cpbench::cuda
