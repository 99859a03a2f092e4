// 16-bit elements as fp32.
#pragma once

#include <bit>
#include <cstdint>

#include "vgpu/ptx.hpp"

namespace cpbench::vgpu {

__extension__ using Half = _Float16;

inline float to_float(ElementType type, std::uint16_t bits) {
  if (type == ElementType::kBf16) return std::bit_cast<float>(std::uint32_t{bits} << 16);
  return static_cast<float>(std::bit_cast<Half>(bits));
}

}  // namespace cpbench::vgpu
