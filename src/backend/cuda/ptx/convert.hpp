// Between fp32 and the 16-bit storage types. T is bf16 or fp16; only their `bits` are used on the device.
#pragma once

#include <cstdint>

#include "problem/dtype.hpp"

namespace cpbench::ptx {

/// Two elements in one register, `low` in bits 0 to 15, each rounded to nearest even.
template <typename T>
__device__ std::uint32_t pack(float low, float high);
template <>
__device__ inline std::uint32_t pack<bf16>(float low, float high) {
  std::uint32_t packed;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(packed) : "f"(high), "f"(low));
  return packed;
}
template <>
__device__ inline std::uint32_t pack<fp16>(float low, float high) {
  std::uint32_t packed;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(packed) : "f"(high), "f"(low));
  return packed;
}

/// One element of storage type T (fp32 too) to fp32, exact.
__device__ inline float to_float(float value) { return value; }
__device__ inline float to_float(bf16 value) { return __uint_as_float(std::uint32_t{value.bits} << 16); }
__device__ inline float to_float(fp16 value) {
  float wide;
  asm("cvt.f32.f16 %0, %1;" : "=f"(wide) : "h"(value.bits));
  return wide;
}

/// fp32 to one element of storage type T (fp32 too), rounded to nearest even.
template <typename T>
__device__ inline T from_float(float value) {
  return T{static_cast<std::uint16_t>(pack<T>(value, 0.0f) & 0xffffu)};
}
template <>
__device__ inline float from_float<float>(float value) {
  return value;
}

}  // namespace cpbench::ptx
