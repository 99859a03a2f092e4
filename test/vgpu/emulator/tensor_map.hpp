// What a CUtensorMap holds here: the arguments of cuTensorMapEncodeTiled.
#pragma once

#include <array>
#include <cstdint>

#include "vgpu/runtime.hpp"

namespace cpbench::vgpu {

struct TensorMap {
  std::uint32_t mark;                      ///< kMark: this was encoded
  std::uint8_t rank, element_bytes, span;  ///< span of the swizzle in bytes; 0: none
  bool is_float;                           ///< fp32
  std::uint64_t address;
  std::array<std::uint32_t, 5> sizes;
  std::array<std::uint64_t, 4> strides;  ///< in bytes, of axes 1 and up
  std::array<std::uint16_t, 5> box;

  static constexpr std::uint32_t kMark = 0x7e45012a;
  std::uint32_t row_bytes() const { return std::uint32_t{box[0]} * element_bytes; }
  std::uint32_t box_bytes() const;
};
static_assert(sizeof(TensorMap) <= sizeof(CUtensorMap));

/// The map that a kernel names; a fault where it is none.
TensorMap decode(const CUtensorMap* map, int rank);

}  // namespace cpbench::vgpu
