// Operands of wgmma in shared memory: 64-bit descriptors, and where in shared memory an element lies.
//
// PTX ISA, matrix descriptor: bits 0-13 start address, 16-29 leading dimension byte offset (LBO), 32-45 stride
// dimension byte offset (SBO), all >> 4; 49-51 base offset; 62-63 swizzle (0 none, 1 128 bytes, 2 64 bytes, 3 32
// bytes). Pieces are 16 bytes, eight elements along the contiguous axis.
//   K contiguous: eight rows of M or N, one span (16 bytes without swizzle) apart, then SBO to the next eight; without
//     swizzle LBO from one piece along K to the next, with it pieces follow each other and LBO is not used.
//   M or N contiguous: eight rows of K, one span apart. With swizzle: LBO to the next span of M or N, SBO to the next
//     eight rows of K. Without: SBO to the next piece along M or N, LBO to the next eight rows of K.
// The base offset is for patterns that do not begin at eight spans; such are refused, as are bits that must be zero.
#pragma once

#include <cstdint>

#include "vgpu/ptx.hpp"

namespace cpbench::vgpu {

struct Operand {
  std::uint32_t start, leading, stride;  ///< in bytes
  int span;                              ///< of the swizzle in bytes, 0: none
  ptx::Major major;

  /// The shared address of piece `piece` of row `row`: along K and of M or N where K is contiguous, else the reverse.
  std::uint32_t piece(int row, int piece) const;
};

/// `name` is for the message of the fault that a descriptor may be.
Operand decode_descriptor(std::uint64_t descriptor, ptx::Major major, const char* name);

}  // namespace cpbench::vgpu
