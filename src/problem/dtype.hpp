// Storage types of tensors. Arithmetic is always in fp32 or wider.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <string_view>

namespace cpbench {

enum class DType : std::uint8_t { kFp32, kBf16, kFp16 };

int bytes_of(DType dtype);
/// Unit roundoff times two: the distance from 1 to the next number (2^-23, 2^-7, 2^-10).
double epsilon_of(DType dtype);
std::string_view name_of(DType dtype);
/// Throws a usage error for an unknown name.
DType parse_dtype(std::string_view name);

/// bfloat16: the upper half of an fp32, rounded to nearest even. NaN stays NaN.
struct bf16 {
  std::uint16_t bits;
  static bf16 from(float value);
  float to_float() const { return std::bit_cast<float>(std::uint32_t{bits} << 16); }
};

/// IEEE half precision, rounded to nearest even, with subnormals. Overflow becomes infinity.
struct fp16 {
  std::uint16_t bits;
  static fp16 from(float value);
  float to_float() const;
};

inline bf16 bf16::from(float value) {
  const auto raw = std::bit_cast<std::uint32_t>(value);
  if (std::isnan(value)) return {static_cast<std::uint16_t>((raw >> 16) | 0x40u)};
  return {static_cast<std::uint16_t>((raw + 0x7fffu + ((raw >> 16) & 1u)) >> 16)};
}

// Without branches, so that loops over elements become vectors: every case is computed, and one is chosen. GCC 12 makes
// branches of chained `?:`.
constexpr std::uint32_t select_bits(bool first, std::uint32_t a, std::uint32_t b) {
  return b ^ ((a ^ b) & -std::uint32_t{first});
}
inline fp16 fp16::from(float value) {
  constexpr std::uint32_t kInfinity = 0x7f800000u, kTwoTo16 = 0x47800000u, kSmallestNormal = 0x38800000u;  // of fp32
  constexpr std::uint32_t kExponentShift = 112u << 23;  // difference of the exponents' biases, 127 - 15
  const auto raw = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t magnitude = raw & 0x7fffffffu;
  const std::uint32_t normal = (magnitude - kExponentShift + 0xfffu + ((magnitude >> 13) & 1u)) >> 13;
  // One ulp of 0.5 is fp16's subnormal step, 2^-24: the addition rounds to a multiple of it, to nearest even.
  const std::uint32_t subnormal =
      std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) - std::bit_cast<std::uint32_t>(0.5f);
  const std::uint32_t nan = 0x7e00u | ((magnitude >> 13) & 0x3ffu);  // quiet, with the upper bits of the payload
  const std::uint32_t finite = select_bits(magnitude < kSmallestNormal, subnormal, normal);  // may carry to infinity
  const std::uint32_t special = select_bits(magnitude > kInfinity, nan, 0x7c00u);
  const std::uint32_t half = select_bits(magnitude < kTwoTo16, finite, special);
  return {static_cast<std::uint16_t>(((raw >> 16) & 0x8000u) | half)};
}
inline float fp16::to_float() const {
  constexpr std::uint32_t kExponentShift = 112u << 23, kOne = 1u << 23;  // as above; of the exponent
  const std::uint32_t magnitude = (bits & 0x7fffu) << 13, sign = (bits & 0x8000u) << 16;
  const std::uint32_t normal = magnitude + kExponentShift;
  // A subnormal has the exponent of the smallest normal, without the leading 1: as fp32 has it, that is taken away.
  const auto subnormal = std::bit_cast<std::uint32_t>(std::bit_cast<float>(normal + kOne) - 0x1p-14f);
  const std::uint32_t special =
      select_bits(magnitude >= (0x7c00u << 13), 0x7f800000u, 0u);  // infinity and NaN: all ones
  return std::bit_cast<float>(select_bits(magnitude < (0x400u << 13), subnormal, normal) | special | sign);
}

inline float to_float(float value) { return value; }
inline float to_float(bf16 value) { return value.to_float(); }
inline float to_float(fp16 value) { return value.to_float(); }

template <typename T>
T from_float(float value);
template <>
inline float from_float<float>(float value) {
  return value;
}
template <>
inline bf16 from_float<bf16>(float value) {
  return bf16::from(value);
}
template <>
inline fp16 from_float<fp16>(float value) {
  return fp16::from(value);
}

/// Rounds `value` to `dtype` and back.
float round_to(DType dtype, float value);

/// Calls `visit` with a value of the C++ type that stores `dtype`: the one switch over storage types.
template <typename Visitor>
auto with_type(DType dtype, Visitor&& visit) {
  switch (dtype) {
    case DType::kBf16:
      return visit(bf16{});
    case DType::kFp16:
      return visit(fp16{});
    case DType::kFp32:
      break;
  }
  return visit(float{});
}

}  // namespace cpbench
