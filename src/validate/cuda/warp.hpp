// A warp for each row of a matrix.
#pragma once

#include "backend/cuda/warp_reduction.hpp"

namespace cpbench::cuda {

inline constexpr int kRowThreads = 256, kRowsPerBlock = kRowThreads / 32;

/// The row of the calling warp in a grid of blocks_for_rows.
__device__ inline int warp_row() { return ptx::block_index() * kRowsPerBlock + ptx::thread_index() / 32; }
__device__ inline int warp_lane() { return ptx::thread_index() % 32; }
inline int blocks_for_rows(int rows) { return (rows + kRowsPerBlock - 1) / kRowsPerBlock; }

}  // namespace cpbench::cuda
