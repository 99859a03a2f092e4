// ldmatrix, stmatrix and mma.sync.
//
// PTX ISA: lanes 8i to 8i + 7 give the addresses of the rows of matrix i. Rows are accesses of the lane that gives the
// address. Assumed: none of these orders memory among the lanes.
#include <cstring>

#include "block.hpp"
#include "collective.hpp"
#include "halves.hpp"
#include "validate/multiversion.hpp"
#include "vgpu/ptx.hpp"

namespace cpbench::ptx {
namespace {

using vgpu::block;
using vgpu::Warp;

struct MatrixAccess {
  std::uint32_t* fragment;
  SharedAddress row;
};
using MatrixLanes = std::array<MatrixAccess*, 32>;
using Rows = std::array<std::array<std::uint16_t, 8>, 32>;  // of four 8x8 matrices

constexpr std::size_t kRowBytes = 16;

Rows read_rows(Warp& warp, const MatrixLanes& lanes) {
  Rows rows;
  for (int lane = 0; lane < 32; ++lane) {
    const vgpu::Thread& thread = block().lane(warp, lane);
    const std::size_t offset =
        vgpu::shared_offset(lanes[static_cast<std::size_t>(lane)]->row, kRowBytes, kRowBytes, "ldmatrix");
    block().shadow.read(offset, kRowBytes, thread.epoch, block().knowledge_of(thread));
    std::memcpy(rows[static_cast<std::size_t>(lane)].data(), vgpu::kSharedMemory.at(offset), kRowBytes);
  }
  return rows;
}

void write_rows(Warp& warp, const MatrixLanes& lanes, const Rows& rows) {
  for (int lane = 0; lane < 32; ++lane) {
    const vgpu::Thread& thread = block().lane(warp, lane);
    const std::size_t offset =
        vgpu::shared_offset(lanes[static_cast<std::size_t>(lane)]->row, kRowBytes, kRowBytes, "stmatrix");
    block().shadow.write(offset, kRowBytes, thread.epoch, block().knowledge_of(thread));
    std::memcpy(vgpu::kSharedMemory.at(offset), rows[static_cast<std::size_t>(lane)].data(), kRowBytes);
  }
}

struct Product {
  vgpu::ElementType type;
  float* d;
  const std::uint32_t* a;
  std::uint32_t b[2];
};

/// d [16][8] += a [16][16] * b [16][8].
CPBENCH_MULTIVERSION
void multiply_add(float* __restrict d, const float* __restrict a, const float* __restrict b) {
  for (int row = 0; row < 16; ++row) {
    for (int k = 0; k < 16; ++k) {
      for (int j = 0; j < 8; ++j) d[row * 8 + j] += a[row * 16 + k] * b[k * 8 + j];
    }
  }
}

float low(vgpu::ElementType type, std::uint32_t pair) { return vgpu::to_float(type, static_cast<std::uint16_t>(pair)); }
float high(vgpu::ElementType type, std::uint32_t pair) {
  return vgpu::to_float(type, static_cast<std::uint16_t>(pair >> 16));
}

void multiply(Warp&, const std::array<Product*, 32>& lanes) {
  static float a[16 * 16], b[16 * 8], d[16 * 8];
  const vgpu::ElementType type = lanes[0]->type;
  const auto row_of = [](int lane, int i) { return lane / 4 + i * 8; };
  for (int lane = 0; lane < 32; ++lane) {
    const Product& own = *lanes[static_cast<std::size_t>(lane)];
    const int pair = lane % 4 * 2;
    for (int i = 0; i < 4; ++i) {
      float* const to = a + row_of(lane, i % 2) * 16 + i / 2 * 8 + pair;
      to[0] = low(type, own.a[i]);
      to[1] = high(type, own.a[i]);
    }
    for (int i = 0; i < 2; ++i) {
      b[(pair + 8 * i) * 8 + lane / 4] = low(type, own.b[i]);
      b[(pair + 8 * i + 1) * 8 + lane / 4] = high(type, own.b[i]);
      d[row_of(lane, i) * 8 + pair] = own.d[2 * i];
      d[row_of(lane, i) * 8 + pair + 1] = own.d[2 * i + 1];
    }
  }
  multiply_add(d, a, b);
  for (int lane = 0; lane < 32; ++lane) {
    const Product& own = *lanes[static_cast<std::size_t>(lane)];
    for (int i = 0; i < 2; ++i) {
      own.d[2 * i] = d[row_of(lane, i) * 8 + lane % 4 * 2];
      own.d[2 * i + 1] = d[row_of(lane, i) * 8 + lane % 4 * 2 + 1];
    }
  }
}

}  // namespace

void load_matrix_x4(std::uint32_t (&fragment)[4], SharedAddress row) {
  MatrixAccess own{fragment, row};
  vgpu::warp_collective("ldmatrix", own, [](Warp& warp, const MatrixLanes& lanes) {
    const Rows rows = read_rows(warp, lanes);
    for (std::size_t lane = 0; lane < 32; ++lane) {
      for (std::size_t i = 0; i < 4; ++i)
        std::memcpy(&lanes[lane]->fragment[i], &rows[8 * i + lane / 4][lane % 4 * 2], 4);
    }
  });
}

void load_matrix_x4_transposed(std::uint32_t (&fragment)[4], SharedAddress row) {
  MatrixAccess own{fragment, row};
  vgpu::warp_collective("ldmatrix.trans", own, [](Warp& warp, const MatrixLanes& lanes) {
    const Rows rows = read_rows(warp, lanes);
    for (std::size_t lane = 0; lane < 32; ++lane) {
      const std::size_t first = lane % 4 * 2;
      for (std::size_t i = 0; i < 4; ++i) {
        lanes[lane]->fragment[i] =
            std::uint32_t{rows[8 * i + first][lane / 4]} | std::uint32_t{rows[8 * i + first + 1][lane / 4]} << 16;
      }
    }
  });
}

void store_matrix_x4(SharedAddress row, const std::uint32_t (&fragment)[4]) {
  std::uint32_t given[4];
  std::memcpy(given, fragment, sizeof given);
  MatrixAccess own{given, row};
  vgpu::warp_collective("stmatrix", own, [](Warp& warp, const MatrixLanes& lanes) {
    Rows rows;
    for (std::size_t lane = 0; lane < 32; ++lane) {
      for (std::size_t i = 0; i < 4; ++i)
        std::memcpy(&rows[8 * i + lane / 4][lane % 4 * 2], &lanes[lane]->fragment[i], 4);
    }
    write_rows(warp, lanes, rows);
  });
}

void multiply_m16n8k16(vgpu::ElementType type, float (&d)[4], const std::uint32_t (&a)[4], std::uint32_t b0,
                       std::uint32_t b1) {
  Product own{type, d, a, {b0, b1}};
  vgpu::warp_collective("mma.m16n8k16", own,
                        [](Warp& warp, const std::array<Product*, 32>& lanes) { multiply(warp, lanes); });
}

}  // namespace cpbench::ptx
