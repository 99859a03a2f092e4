// The arithmetic of one warp's part of a wgmma: its 16 of the 64 rows.
#pragma once

#include <array>
#include <cstdint>

#include "clocks.hpp"
#include "operand.hpp"
#include "vgpu/ptx.hpp"

namespace cpbench::vgpu {

struct WgmmaOperation {
  int warp;
  ElementType type;
  int n;
  bool accumulate, a_in_registers;
  Operand a, b;
  std::array<float*, 32> d;
  std::array<const std::uint32_t*, 32> a_source;  ///< where A is in registers
  std::array<std::array<std::uint32_t, 4>, 32> a_registers;
  Clock clock;  ///< its number among those of the warp, from 1
};

void execute(const WgmmaOperation& operation);

/// Calls visit(row, piece, shared address) for the 16-byte pieces of 16 rows of A from `first`, and of B; see
/// Operand::piece.
template <typename Visitor>
void for_each_piece_of_a(const WgmmaOperation& operation, int first, Visitor&& visit) {
  for (int i = 0; i < 16; ++i) {
    for (int j = 0; j < 2; ++j) {
      const bool by_rows = operation.a.major == ptx::Major::kSummed;
      const int row = by_rows ? first + i : i, piece = by_rows ? j : first / 8 + j;
      visit(row, piece, operation.a.piece(row, piece));
    }
  }
}
template <typename Visitor>
void for_each_piece_of_b(const WgmmaOperation& operation, Visitor&& visit) {
  const bool by_columns = operation.b.major == ptx::Major::kSummed;
  const int rows = by_columns ? operation.n : 16, pieces = by_columns ? 2 : operation.n / 8;
  for (int row = 0; row < rows; ++row) {
    for (int piece = 0; piece < pieces; ++piece) visit(row, piece, operation.b.piece(row, piece));
  }
}

}  // namespace cpbench::vgpu
