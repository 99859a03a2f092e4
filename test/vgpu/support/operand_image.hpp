// Operands of wgmma in shared memory, laid out as the figures of the PTX ISA show it: by rows and columns of pieces,
// not by bits of addresses as the emulator does it.
#pragma once

#include <cstdint>

namespace cpbench::vgpu {

/// Where the elements of an operand lie: `rows` of M or N, 16 of K.
struct OperandLayout {
  int rows;
  bool other_major;     ///< M or N is contiguous, else K
  int span;             ///< of the swizzle in bytes; 0: none
  std::uint32_t begin;  ///< a multiple of 1,024

  /// The descriptor's two distances, with gaps, so that neither can be taken for the other or for a default.
  std::uint32_t stride() const { return span == 0 ? 160 : 16 * bytes(span); }
  std::uint32_t leading() const {
    if (span == 0) return 4096;
    return other_major ? 3 * stride() : 0;
  }
  /// The PTX ISA: swizzled, it is the distance of one span to the next, and there are more than one only along M or N.
  bool uses_leading() const { return span == 0 || (other_major && rows * 2 > span); }
  std::uint64_t descriptor() const {
    const auto mode = std::uint64_t{span == 128 ? 1u : span == 64 ? 2u : span == 32 ? 3u : 0u};
    return std::uint64_t{begin >> 4} | std::uint64_t{leading() >> 4} << 16 | std::uint64_t{stride() >> 4} << 32 |
           mode << 62;
  }

  /// Where element (row, k) lies.
  std::uint32_t offset(int row, int k) const {
    const int line = other_major ? k : row, along = other_major ? row : k;
    const int piece = along / 8;
    std::uint32_t at = begin + bytes(along % 8 * 2);
    if (span == 0) {
      const std::uint32_t next_lines = other_major ? leading() : stride(),
                          next_piece = other_major ? stride() : leading();
      return at + bytes(line / 8) * next_lines + bytes(line % 8) * 16 + bytes(piece) * next_piece;
    }
    // Eight lines are a pattern; line l of it has its pieces exchanged by l * span / 128.
    const int pieces = span / 16, exchanged = piece % pieces ^ line % 8 * span / 128;
    return at + bytes(line / 8) * stride() + bytes(line % 8 * span) + bytes(piece / pieces) * leading() +
           bytes(exchanged * 16);
  }
  /// One past the last byte, rounded up to 1,024.
  std::uint32_t end() const {
    std::uint32_t last = 0;
    for (int row = 0; row < rows; ++row) {
      for (int k = 0; k < 16; ++k) last = offset(row, k) > last ? offset(row, k) : last;
    }
    return (last + 2 + 1023) / 1024 * 1024;
  }

 private:
  static std::uint32_t bytes(int value) { return static_cast<std::uint32_t>(value); }
};

}  // namespace cpbench::vgpu
