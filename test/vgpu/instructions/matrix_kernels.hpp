// Kernels that try ldmatrix, stmatrix, mma.sync and cp.async, with faults that can be planted.
#pragma once

#include <cstdint>

namespace cpbench::vgpu {

/// One warp loads the four 8x8 matrices of 16-bit elements at in[64 i], transposed or not, and stores them to out with
/// stmatrix. fragments[4 * lane + i] is what lane l got of matrix i.
void move_matrices(bool transposed, const std::uint16_t* in, std::uint32_t* fragments, std::uint16_t* out);

enum class GemmPlant {
  kNone,
  kNoWait,              ///< the asynchronous copies are not waited for
  kWaitForOlder,        ///< only the group before is waited for
  kNoBarrierAfterWait,  ///< other threads' copies are read after the thread's own wait
  kNoBarrierBefore,     ///< the next copy is started while others still read
};

/// c [m][n] = a [m][k] * b [n][k], row major, by mma.sync, ldmatrix and cp.async in two stages; tiles of 32 x 32, k in
/// steps of 16. m and n may be anything, k a multiple of 8. T is bf16 or fp16.
template <typename T>
void multiply_sm80(GemmPlant plant, int m, int n, int k, const T* a, const T* b, float* c);

}  // namespace cpbench::vgpu
