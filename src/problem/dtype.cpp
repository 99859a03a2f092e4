#include "problem/dtype.hpp"

#include "support/names.hpp"

namespace cpbench {
namespace {

constexpr std::array<Named<DType>, 3> kNames = {
    {{DType::kFp32, "fp32"}, {DType::kBf16, "bf16"}, {DType::kFp16, "fp16"}}};

// Bit patterns of fp32 numbers that bound the ranges of fp16.
constexpr std::uint32_t kInfinity = 0x7f800000u;
constexpr std::uint32_t kTwoTo16 = 0x47800000u;         // first power of two that fp16 lacks
constexpr std::uint32_t kSmallestNormal = 0x38800000u;  // 2^-14
constexpr std::uint32_t kExponentShift = 112u << 23;    // difference of the exponents' biases, 127 - 15

}  // namespace

int bytes_of(DType dtype) { return dtype == DType::kFp32 ? 4 : 2; }

double epsilon_of(DType dtype) {
  switch (dtype) {
    case DType::kBf16:
      return 0x1p-7;
    case DType::kFp16:
      return 0x1p-10;
    case DType::kFp32:
      break;
  }
  return 0x1p-23;
}

std::string_view name_of(DType dtype) { return name_in(kNames, dtype); }
DType parse_dtype(std::string_view name) { return parse_in(kNames, "dtype", name); }

fp16 fp16::from(float value) {
  const auto raw = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (raw >> 16) & 0x8000u;
  const std::uint32_t magnitude = raw & 0x7fffffffu;
  std::uint32_t half = 0;
  if (magnitude > kInfinity) {
    half = 0x7e00u | ((magnitude >> 13) & 0x3ffu);  // a quiet NaN with the upper bits of the payload
  } else if (magnitude >= kTwoTo16) {
    half = 0x7c00u;
  } else if (magnitude < kSmallestNormal) {
    // One ulp of 0.5 is fp16's subnormal step, 2^-24: the addition rounds to a multiple of it, to nearest even.
    half = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) - std::bit_cast<std::uint32_t>(0.5f);
  } else {
    half = (magnitude - kExponentShift + 0xfffu + ((magnitude >> 13) & 1u)) >> 13;  // a carry may reach infinity
  }
  return {static_cast<std::uint16_t>(sign | half)};
}

float fp16::to_float() const {
  const std::uint32_t sign = (std::uint32_t{bits} & 0x8000u) << 16;
  const std::uint32_t magnitude = bits & 0x7fffu;
  std::uint32_t single = 0;
  if (magnitude >= 0x7c00u) {
    single = kInfinity | (magnitude << 13);
  } else if (magnitude < 0x400u) {
    single = std::bit_cast<std::uint32_t>(static_cast<float>(magnitude) * 0x1p-24f);
  } else {
    single = (magnitude << 13) + kExponentShift;
  }
  return std::bit_cast<float>(sign | single);
}

float round_to(DType dtype, float value) {
  return with_type(dtype, [&](auto type) { return cpbench::to_float(from_float<decltype(type)>(value)); });
}

}  // namespace cpbench
