// The special function unit.
#pragma once

namespace cpbench::ptx {

/// 2^x within 2^-22 relative; -inf gives 0, +inf gives +inf, subnormal results become 0 (ex2.approx.ftz).
__device__ inline float exp2(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

}  // namespace cpbench::ptx
