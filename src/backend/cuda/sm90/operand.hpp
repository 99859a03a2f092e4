// Operands of wgmma in shared memory.
//
// A tile lies as TMA writes it: in slabs of 64 columns, each with kRows rows of 128 bytes, whose 16-byte pieces are
// swizzled by the row's last three bits. Slabs are aligned to 1,024 bytes, eight rows, after which the swizzle repeats.
#pragma once

#include "backend/cuda/ptx/ptx.hpp"

namespace cpbench::sm90 {

inline constexpr int kSlabColumns = 64, kRowBytes = 128, kEightRows = 8 * kRowBytes;

template <int kRows, int kColumns>
inline constexpr int kTileBytes = kRows* kColumns * 2;

/// The matrix descriptor of the PTX ISA: 128-byte swizzle; offsets in bytes. `stride` leads from eight rows to the next
/// eight; `leading` from 64 elements to the next where rows are the summed axis, and is not used otherwise.
__device__ inline std::uint64_t descriptor(ptx::SharedAddress address, int leading, int stride) {
  constexpr std::uint64_t kSwizzle128 = std::uint64_t{1} << 62;
  const auto field = [](std::uint64_t bytes) { return (bytes & 0x3ffffu) >> 4; };
  return field(address) | field(static_cast<unsigned>(leading)) << 16 | field(static_cast<unsigned>(stride)) << 32 |
         kSwizzle128;
}

/// Columns are the summed axis: 16 of them from 16 * k, of rows from `row`, a multiple of 8.
template <int kRows>
__device__ inline std::uint64_t by_columns(ptx::SharedAddress tile, int row, int k) {
  constexpr int kStepBytes = 32;
  const int offset = k / 4 * (kRows * kRowBytes) + row * kRowBytes + k % 4 * kStepBytes;
  return descriptor(tile + static_cast<unsigned>(offset), 0, kEightRows);
}

/// Rows are the summed axis: 16 of them from 16 * k, of columns from 64 * slab.
template <int kRows>
__device__ inline std::uint64_t by_rows(ptx::SharedAddress tile, int slab, int k) {
  const int offset = slab * (kRows * kRowBytes) + k * 16 * kRowBytes;
  return descriptor(tile + static_cast<unsigned>(offset), kRows * kRowBytes, kEightRows);
}

/// Where a lane writes 16-bit results of its warp into a slab of a tile, for store_matrix_x4: 16 rows from `row`, a
/// multiple of 8, and 16 columns from 16 * k.
__device__ inline ptx::SharedAddress result_row(ptx::SharedAddress slab, int row, int k,
                                                int lane = ptx::thread_index() % 32) {
  const int piece = (lane / 16 ^ lane % 8) ^ 2 * k;  // lane % 8 is the row's last three bits
  return slab + static_cast<unsigned>((row + lane % 16) * kRowBytes + piece * 16);
}

/// A ring of stages in shared memory: which one is next, and the parity of its phase. Consumers wait for `full` with
/// the parity, producers for `empty` with the opposite one, which a fresh barrier passes.
template <int kStages>
struct Ring {
  int stage = 0, parity = 0;
  __device__ void advance() {
    if (++stage == kStages) {
      stage = 0;
      parity ^= 1;
    }
  }
};

}  // namespace cpbench::sm90
