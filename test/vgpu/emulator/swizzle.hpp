// How 16-byte pieces of shared memory are exchanged so that rows and columns both meet all banks.
//
// A span of 128, 64 or 32 bytes: address bits 4 and up are exclusive-or'ed with bits 7 and up, three, two or one of
// them. Documented for layouts that begin where the pattern does. Assumed: it is the final address that is swizzled, so
// that an operand may begin at any 16 bytes within the span.
#pragma once

#include <cstdint>

namespace cpbench::vgpu {

/// `span` in bytes: 128, 64, 32, or 0 for none.
constexpr std::uint32_t swizzle(std::uint32_t address, int span) {
  return span == 0 ? address : address ^ ((address >> 3) & static_cast<std::uint32_t>(span - 16));
}
static_assert(swizzle(0x3f0, 128) == 0x380 && swizzle(0x180, 64) == 0x1b0 && swizzle(0x1f0, 32) == 0x1e0);

}  // namespace cpbench::vgpu
