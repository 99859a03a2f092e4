// The special function unit.
#pragma once

namespace cpbench::ptx {

/// 2^x within 2^-22 relative; -inf gives 0, +inf gives +inf, subnormal results become 0 (ex2.approx.ftz).
__device__ inline float exp2(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
/// log2(x) within 2^-22 absolute around 1 and relative elsewhere; 0 gives -inf (lg2.approx.ftz).
__device__ inline float log2(float x) {
  float y;
  asm("lg2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

}  // namespace cpbench::ptx
