// Over the lanes of a warp, on all of them.
#pragma once

#include <cmath>

#include "backend/cuda/ptx/ptx.hpp"

namespace cpbench {

__device__ inline float warp_sum(float value) {
  for (int mask = 16; mask > 0; mask /= 2) value += ptx::shuffle_xor(value, mask);
  return value;
}
__device__ inline float warp_max(float value) {
  for (int mask = 16; mask > 0; mask /= 2) value = fmaxf(value, ptx::shuffle_xor(value, mask));
  return value;
}

}  // namespace cpbench
