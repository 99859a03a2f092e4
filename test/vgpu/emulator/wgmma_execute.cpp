#include "wgmma_execute.hpp"

#include <cstring>

#include "arena.hpp"
#include "halves.hpp"
#include "validate/multiversion.hpp"

namespace cpbench::vgpu {
namespace {

constexpr int kMaxN = 256;

/// d [16][n] += a [16][16] * b [16][n].
CPBENCH_MULTIVERSION
void multiply_add(float* __restrict d, const float* __restrict a, const float* __restrict b, int n) {
  for (int row = 0; row < 16; ++row) {
    for (int k = 0; k < 16; k += 4) {
      const float* const x = a + row * 16 + k;
      const float* const y = b + k * n;
      for (int j = 0; j < n; ++j) {
        d[row * n + j] += x[0] * y[j] + x[1] * y[n + j] + x[2] * y[2 * n + j] + x[3] * y[3 * n + j];
      }
    }
  }
}

struct Piece {
  float values[8];
};

Piece load(ElementType type, std::uint32_t address) {
  std::uint16_t bits[8];
  std::memcpy(bits, kSharedMemory.at(address), sizeof bits);
  Piece piece;
  for (int i = 0; i < 8; ++i) piece.values[i] = to_float(type, bits[i]);
  return piece;
}

void gather_a(const WgmmaOperation& operation, float (&a)[16 * 16]) {
  if (operation.a_in_registers) {
    for (int lane = 0; lane < 32; ++lane) {
      for (int i = 0; i < 4; ++i) {
        float* const pair = a + (lane / 4 + i % 2 * 8) * 16 + i / 2 * 8 + lane % 4 * 2;
        const std::uint32_t bits = operation.a_registers[static_cast<std::size_t>(lane)][static_cast<std::size_t>(i)];
        pair[0] = to_float(operation.type, static_cast<std::uint16_t>(bits));
        pair[1] = to_float(operation.type, static_cast<std::uint16_t>(bits >> 16));
      }
    }
    return;
  }
  const int first = operation.warp % 4 * 16;
  for_each_piece_of_a(operation, first, [&](int row, int piece, std::uint32_t address) {
    const Piece loaded = load(operation.type, address);
    for (int i = 0; i < 8; ++i) {
      const bool by_rows = operation.a.major == ptx::Major::kSummed;
      a[by_rows ? (row - first) * 16 + piece * 8 + i : (piece * 8 + i - first) * 16 + row] = loaded.values[i];
    }
  });
}

void gather_b(const WgmmaOperation& operation, float* b) {
  const int n = operation.n;
  const bool by_columns = operation.b.major == ptx::Major::kSummed;
  for_each_piece_of_b(operation, [&](int row, int piece, std::uint32_t address) {
    const Piece loaded = load(operation.type, address);
    for (int i = 0; i < 8; ++i) b[by_columns ? (piece * 8 + i) * n + row : row * n + piece * 8 + i] = loaded.values[i];
  });
}

}  // namespace

void execute(const WgmmaOperation& operation) {
  static float a[16 * 16], b[16 * kMaxN], d[16 * kMaxN];
  const int n = operation.n;
  gather_a(operation, a);
  gather_b(operation, b);
  // Element i of a lane's accumulators.
  const auto place = [n](int lane, int i) { return (lane / 4 + i / 2 % 2 * 8) * n + i / 4 * 8 + lane % 4 * 2 + i % 2; };
  for (int lane = 0; lane < 32; ++lane) {
    for (int i = 0; i < n / 2; ++i)
      d[place(lane, i)] = operation.accumulate ? operation.d[static_cast<std::size_t>(lane)][i] : 0.0f;
  }
  multiply_add(d, a, b, n);
  for (int lane = 0; lane < 32; ++lane) {
    for (int i = 0; i < n / 2; ++i) operation.d[static_cast<std::size_t>(lane)][i] = d[place(lane, i)];
  }
}

}  // namespace cpbench::vgpu
