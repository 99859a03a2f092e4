#include "vgpu/instructions/matrix_kernels.hpp"

#include "backend/cuda/launch.hpp"
#include "backend/cuda/ptx/ptx.hpp"

namespace cpbench::vgpu {
namespace {

__global__ void move_matrices_kernel(bool transposed, const std::uint16_t* in, std::uint32_t* fragments,
                                     std::uint16_t* out) {
  CPBENCH_SHARED_MEMORY(memory);
  std::uint16_t* const elements = reinterpret_cast<std::uint16_t*>(memory);
  const int lane = ptx::thread_index();
  for (int i = 0; i < 8; ++i) elements[lane * 8 + i] = in[lane * 8 + i];
  ptx::warp_sync();
  std::uint32_t fragment[4];
  const ptx::SharedAddress row = ptx::shared_address(elements) + static_cast<std::uint32_t>(lane) * 16;
  if (transposed) {
    ptx::load_matrix_x4_transposed(fragment, row);
  } else {
    ptx::load_matrix_x4(fragment, row);
  }
  for (int i = 0; i < 4; ++i) fragments[lane * 4 + i] = fragment[i];
  ptx::warp_sync();
  ptx::store_matrix_x4(row, fragment);
  ptx::warp_sync();
  for (int i = 0; i < 8; ++i) out[lane * 8 + i] = elements[lane * 8 + i];
}

constexpr int kTile = 32, kStep = 16, kStages = 2;
constexpr int kPitch = kStep + 8;  // elements: rows are 16 bytes apart in banks
constexpr int kTileElements = kTile * kPitch;
constexpr int kGemmThreads = 64;

/// Rows `first` and following of a [rows][k] matrix, columns from `column`, to shared memory: one piece per thread.
template <typename T>
__device__ void copy_tile(ptx::SharedAddress to, const T* from, int first, int rows, int column, int k) {
  const int row = ptx::thread_index() / 2, piece = ptx::thread_index() % 2 * 8;
  const bool valid = first + row < rows && column + piece < k;
  ptx::copy_async_16(to + static_cast<std::uint32_t>((row * kPitch + piece) * 2),
                     from + std::int64_t{first + row} * k + column + piece, valid);
}

template <typename T>
__global__ void multiply_sm80_kernel(GemmPlant plant, int m, int n, int k, const T* a, const T* b, float* c) {
  CPBENCH_SHARED_MEMORY(memory);
  const ptx::SharedAddress tiles = ptx::shared_address(memory);
  const auto tile = [&](int stage, int operand) {
    return tiles + static_cast<std::uint32_t>((stage * 2 + operand) * kTileElements * 2);
  };
  const int lane = ptx::thread_index() % 32, warp = ptx::thread_index() / 32;
  const int tiles_n = (n + kTile - 1) / kTile;
  const int first_row = ptx::block_index() / tiles_n * kTile, first_column = ptx::block_index() % tiles_n * kTile;
  const auto start = [&](int step) {
    copy_tile(tile(step % kStages, 0), a, first_row, m, step * kStep, k);
    copy_tile(tile(step % kStages, 1), b, first_column, n, step * kStep, k);
    ptx::copy_async_commit();
  };

  float sums[4][4] = {};  // of 16 rows by four times 8 columns
  const int steps = (k + kStep - 1) / kStep;
  start(0);
  for (int step = 0; step < steps; ++step) {
    if (plant != GemmPlant::kNoBarrierBefore) ptx::block_sync();
    if (step + 1 < steps) {
      start(step + 1);
    } else {
      ptx::copy_async_commit();
    }
    if (plant == GemmPlant::kWaitForOlder) {
      ptx::copy_async_wait<2>();
    } else if (plant != GemmPlant::kNoWait) {
      ptx::copy_async_wait<1>();
    }
    if (plant != GemmPlant::kNoBarrierAfterWait) ptx::block_sync();
    std::uint32_t fragment_a[4];
    const int row_a = warp * 16 + lane % 16, column_a = lane / 16 * 8;
    ptx::load_matrix_x4(fragment_a,
                        tile(step % kStages, 0) + static_cast<std::uint32_t>((row_a * kPitch + column_a) * 2));
    for (int pair = 0; pair < 2; ++pair) {
      std::uint32_t fragment_b[4];
      const int row_b = pair * 16 + lane / 16 * 8 + lane % 8, column_b = lane / 8 % 2 * 8;
      ptx::load_matrix_x4(fragment_b,
                          tile(step % kStages, 1) + static_cast<std::uint32_t>((row_b * kPitch + column_b) * 2));
      ptx::multiply_m16n8k16<T>(sums[2 * pair], fragment_a, fragment_b[0], fragment_b[1]);
      ptx::multiply_m16n8k16<T>(sums[2 * pair + 1], fragment_a, fragment_b[2], fragment_b[3]);
    }
  }
  for (int j = 0; j < 4; ++j) {
    for (int i = 0; i < 4; ++i) {
      const int row = first_row + warp * 16 + lane / 4 + i / 2 * 8,
                column = first_column + j * 8 + lane % 4 * 2 + i % 2;
      if (row < m && column < n) c[std::int64_t{row} * n + column] = sums[j][i];
    }
  }
}

}  // namespace

void move_matrices(bool transposed, const std::uint16_t* in, std::uint32_t* fragments, std::uint16_t* out) {
  launch(move_matrices_kernel, 1, 32, 512, nullptr, transposed, in, fragments, out);
}

template <typename T>
void multiply_sm80(GemmPlant plant, int m, int n, int k, const T* a, const T* b, float* c) {
  const int blocks = (m + kTile - 1) / kTile * ((n + kTile - 1) / kTile);
  launch(multiply_sm80_kernel<T>, blocks, kGemmThreads, kStages * 2 * kTileElements * 2, nullptr, plant, m, n, k, a, b,
         c);
}
template void multiply_sm80(GemmPlant, int, int, int, const bf16*, const bf16*, float*);
template void multiply_sm80(GemmPlant, int, int, int, const fp16*, const fp16*, float*);

}  // namespace cpbench::vgpu
