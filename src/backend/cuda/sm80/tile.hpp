// Tiles of 16-bit elements in shared memory, and their way to the tensor cores of Ampere and later (mma.sync).
//
// A tile is kDim columns wide, a multiple of 64, and aligned to 128 bytes. The 16-byte pieces of a row are swizzled by
// the row's last three bits, so that the eight rows of a matrix that ldmatrix reads lie in different banks. The swizzle
// of a lane does not change from row block to row block: all of its addresses follow from one.
#pragma once

#include "backend/cuda/parameters.hpp"
#include "backend/cuda/ptx/ptx.hpp"

namespace cpbench::sm80 {

template <int kRows, int kDim>
inline constexpr int kTileBytes = kRows* kDim * 2;

/// Offset of a piece in its tile.
template <int kDim>
__device__ inline unsigned piece(int row, int index) {
  return static_cast<unsigned>((row * (kDim / 8) + (index ^ (row & 7))) * 16);
}

/// Starts to copy rows from `row` on of a (batch, head); rows outside [row_begin, row_end) and columns from `dim` on
/// become zero.
template <typename T, int kRows, int kDim, int kThreads>
__device__ inline void load_tile(ptx::SharedAddress tile, const T* head, std::int64_t row_stride, int row,
                                 int row_begin, int row_end, int dim) {
  constexpr int kRowsAtOnce = kThreads / 8;  // eight threads to a row, 128 bytes at a time
  const int first = ptx::thread_index() / 8, index = ptx::thread_index() % 8;
  const T* from = head + (row + first) * row_stride + index * 8;
  ptx::SharedAddress to = tile + piece<kDim>(first, index);
  const int begin = row_begin - row - first, end = row_end - row - first;
#pragma unroll 2
  for (int r = 0; r < kRows; r += kRowsAtOnce) {
#pragma unroll
    for (int column = 0; column < kDim; column += 64) {
      const bool valid = begin <= r && r < end && column + index * 8 < dim;
      ptx::copy_async_16(to + static_cast<unsigned>(column * 2), valid ? from + column : head, valid);
    }
    from += kRowsAtOnce * row_stride;
    to += kRowsAtOnce * kDim * 2;
  }
}

/// What a lane gives to ldmatrix for 16 x 16 elements of a tile. Straight: matrices 0 and 1 lie below each other, 2 and
/// 3 to their right. Crossed: 0 and 1 side by side, 2 and 3 below. Whether they are transposed on the way makes of
/// them:
///   A from the tile: straight.        A from the transposed tile: crossed, transposed.
///   B from the tile: straight, transposed.        B from the transposed tile: crossed.
/// The first two registers of a B of 16 columns are the operand of its first eight.
template <int kDim>
class TileReader {
 public:
  __device__ static TileReader straight(ptx::SharedAddress tile) {
    const int lane = ptx::thread_index() % 32;
    return TileReader(tile, piece<kDim>(lane % 16, lane / 16));
  }
  __device__ static TileReader crossed(ptx::SharedAddress tile) {
    const int lane = ptx::thread_index() % 32;
    return TileReader(tile, piece<kDim>(lane / 16 * 8 + lane % 8, lane / 8 % 2));
  }

  /// Rows from `row`, a multiple of 8, and columns from 16 * k.
  __device__ void load(std::uint32_t (&fragment)[4], int row, int k) const {
    ptx::load_matrix_x4(fragment, address(row, k));
  }
  __device__ void load_transposed(std::uint32_t (&fragment)[4], int row, int k) const {
    ptx::load_matrix_x4_transposed(fragment, address(row, k));
  }

 private:
  __device__ TileReader(ptx::SharedAddress tile, unsigned lane) : tile_(tile), lane_(lane) {}
  __device__ ptx::SharedAddress address(int row, int k) const {
    return tile_ + (lane_ ^ static_cast<unsigned>(k % 4 * 32)) + static_cast<unsigned>(k / 4 * 128 + row * kDim * 2);
  }

  ptx::SharedAddress tile_;
  unsigned lane_;
};

/// Elements [4j, 4j + 8) of an accumulator += a * b, two blocks of eight columns.
template <typename T, int kElements>
__device__ inline void multiply_add(float (&d)[kElements], int j, const std::uint32_t (&a)[4],
                                    const std::uint32_t (&b)[4]) {
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    auto& block = *reinterpret_cast<float(*)[4]>(&d[4 * (j + i)]);
    ptx::multiply_m16n8k16<T>(block, a, b[2 * i], b[2 * i + 1]);
  }
}

}  // namespace cpbench::sm80
