#include "vgpu/instructions/tma_kernels.hpp"

#include "backend/cuda/launch.hpp"
#include "backend/cuda/ptx/ptx.hpp"
#include "backend/cuda/tensor_map.hpp"

namespace cpbench::vgpu {
namespace {

__global__ void pass_box_kernel(BoxPlant plant, BoxCase shape, const __grid_constant__ CUtensorMap from,
                                const __grid_constant__ CUtensorMap to, std::uint32_t* image) {
  CPBENCH_SHARED_MEMORY(memory);
  const ptx::SharedAddress box = ptx::shared_address(memory),
                           barrier = box + static_cast<std::uint32_t>(shape.box_bytes);
  const int thread = ptx::thread_index();
  const auto [c0, c1, c2, c3] = shape.at;
  if (thread == 0) {
    ptx::mbarrier_init(barrier, 2);
    if (plant != BoxPlant::kNoInitFence) ptx::fence_mbarrier_init();
  }
  if (plant != BoxPlant::kNoInitSync) ptx::block_sync();
  int bytes = shape.box_bytes;
  if (plant == BoxPlant::kTooFewBytes) bytes -= 16;
  if (plant == BoxPlant::kTooManyBytes) bytes += 16;
  if (thread == 0) {
    ptx::mbarrier_arrive_expect(barrier, bytes);
    ptx::load_box(box, &from, c0, c1, c2, c3, barrier);
  }
  if (thread == 40) ptx::mbarrier_arrive(barrier);
  if (plant == BoxPlant::kLeaveEarly) return;
  if (plant != BoxPlant::kNoWait) ptx::mbarrier_wait(barrier, plant == BoxPlant::kWrongParity ? 1 : 0);
  if (plant == BoxPlant::kArrivalTooMany && thread == 40) ptx::mbarrier_arrive(barrier);
  auto* const words = reinterpret_cast<std::uint32_t*>(memory);
  for (int i = thread; i < shape.box_bytes / 4; i += ptx::thread_count()) {
    image[i] = words[i];
    if (shape.change) reinterpret_cast<float*>(memory)[i] += 1.0f;
  }
  if (plant != BoxPlant::kNoStoreFence) ptx::fence_proxy_async();
  ptx::block_sync();
  if (thread == 0) {
    if (shape.add) {
      ptx::add_box(&to, c0, c1, c2, c3, box);
    } else {
      ptx::store_box(&to, c0, c1, c2, c3, box);
    }
    ptx::bulk_commit();
    if (plant == BoxPlant::kReuseEarly) words[0] = 0;
    if (plant != BoxPlant::kNoStoreWait) ptx::bulk_wait_read<0>();
  }
}

constexpr int kRows = 64, kTileRows = 2 * kRows, kColumns = 128, kStep = 64, kStages = 2;
constexpr int kSpan = 128;
constexpr int kABytes = kTileRows * kSpan, kBBytes = kColumns * kStep * 2;  // of a stage
constexpr int kStageBytes = kABytes + kBBytes;
constexpr int kBarriers = kStages * kStageBytes;
constexpr int kConsumers = 256, kThreads = 128 + kConsumers;

struct Stages {
  ptx::SharedAddress base;
  __device__ static std::uint32_t bytes(int value) { return static_cast<std::uint32_t>(value); }
  __device__ ptx::SharedAddress a(int stage) const { return base + bytes(stage * kStageBytes); }
  __device__ ptx::SharedAddress b(int stage) const { return a(stage) + bytes(kABytes); }
  __device__ ptx::SharedAddress full(int stage) const { return base + bytes(kBarriers + stage * 16); }
  __device__ ptx::SharedAddress empty(int stage) const { return full(stage) + 8; }
};

__device__ std::uint64_t descriptor(ptx::SharedAddress address, int leading) {
  return std::uint64_t{address >> 4} | static_cast<std::uint64_t>(leading >> 4) << 16 | std::uint64_t{1024 >> 4} << 32 |
         std::uint64_t{1} << 62;
}

__global__ void multiply_sm90_kernel(PipelinePlant plant, int n_tiles, int m, int n, int k,
                                     const __grid_constant__ CUtensorMap map_a,
                                     const __grid_constant__ CUtensorMap map_b, float* c) {
  CPBENCH_SHARED_MEMORY(memory);
  const Stages stages{ptx::shared_address(memory)};
  const int thread = ptx::thread_index(), group = thread / 128;
  const int first_row = ptx::block_index() / n_tiles * kTileRows,
            first_column = ptx::block_index() % n_tiles * kColumns;
  const int steps = (k + kStep - 1) / kStep;
  if (thread == 0) {
    for (int stage = 0; stage < kStages; ++stage) {
      ptx::mbarrier_init(stages.full(stage), 1);
      ptx::mbarrier_init(stages.empty(stage), kConsumers / 32);
    }
    ptx::fence_mbarrier_init();
  }
  ptx::block_sync();

  if (group == 0) {
    ptx::lower_registers<24>();
    for (int step = 0; step < steps && thread == 0; ++step) {
      const int stage = step % kStages, turn = step / kStages;
      if (plant != PipelinePlant::kNoEmptyWait) {
        ptx::mbarrier_wait(stages.empty(stage), (turn & 1) ^ (plant == PipelinePlant::kEmptyWrongParity ? 0 : 1));
      }
      ptx::mbarrier_arrive_expect(stages.full(stage), kStageBytes);
      ptx::load_box(stages.a(stage), &map_a, step * kStep, first_row, 0, 0, stages.full(stage));
      for (int slab = 0; slab < kColumns / 64; ++slab) {
        ptx::load_box(stages.b(stage) + Stages::bytes(slab * kStep * kSpan), &map_b, first_column + slab * 64,
                      step * kStep, 0, 0, stages.full(stage));
      }
    }
    return;
  }

  ptx::raise_registers<240>();
  const int warpgroup = group - 1, lane = thread % 32, warp = thread % 128 / 32;
  const auto release = [&](int stage) {
    if (lane == 0 && (plant != PipelinePlant::kNoRelease || thread != 160)) ptx::mbarrier_arrive(stages.empty(stage));
  };
  float d[kColumns / 2];
  for (float& value : d) value = 0;
  for (int step = 0; step < steps; ++step) {
    const int stage = step % kStages, turn = step / kStages;
    ptx::mbarrier_wait(stages.full(stage), (turn & 1) ^ (plant == PipelinePlant::kFullWrongParity ? 1 : 0));
    ptx::wgmma_fence();
    for (int part = 0; part < kStep / 16; ++part) {
      const int advance = plant == PipelinePlant::kWrongAdvance && part == 1 ? 16 : part * 32;
      const auto a = descriptor(stages.a(stage) + Stages::bytes(warpgroup * kRows * kSpan + advance), 0);
      const auto b = descriptor(stages.b(stage) + Stages::bytes(part * 16 * kSpan), kStep * kSpan);
      ptx::wgmma<bf16, kColumns, ptx::Major::kSummed, ptx::Major::kOther>(d, a, b, true);
    }
    ptx::wgmma_commit();
    if (plant == PipelinePlant::kReleaseEarly) release(stage);
    ptx::wgmma_wait<0>();
    if (plant != PipelinePlant::kReleaseEarly) release(stage);
  }
  for (int i = 0; i < kColumns / 2; ++i) {
    const int row = first_row + warpgroup * kRows + warp * 16 + lane / 4 + i / 2 % 2 * 8;
    const int column = first_column + i / 4 * 8 + lane % 4 * 2 + i % 2;
    if (row < m && column < n) c[std::int64_t{row} * n + column] = d[i];
  }
}

CUtensorMap map_of(const bf16* data, int rows, int columns, int box_rows) {
  const auto size = [](int value) { return static_cast<std::uint64_t>(value); };
  const std::uint64_t pitch = size(columns) * sizeof(bf16);
  return encode_tensor_map({.dtype = DType::kBf16,
                            .data = const_cast<bf16*>(data),
                            .sizes = {size(columns), size(rows), 1, 1},
                            .strides = {pitch, pitch * size(rows), pitch * size(rows)},
                            .box = {kSpan / sizeof(bf16), static_cast<std::uint32_t>(box_rows), 1, 1}});
}

}  // namespace

void pass_box(BoxPlant plant, const BoxCase& shape, const CUtensorMap& from, const CUtensorMap& to,
              std::uint32_t* image) {
  launch(pass_box_kernel, 1, 64, shape.box_bytes + 8, nullptr, plant, shape, from, to, image);
}

void multiply_sm90(PipelinePlant plant, int m, int n, int k, const bf16* a, const bf16* b, float* c) {
  const int m_tiles = (m + kTileRows - 1) / kTileRows, n_tiles = (n + kColumns - 1) / kColumns;
  launch(multiply_sm90_kernel, m_tiles * n_tiles, kThreads, kBarriers + kStages * 16, nullptr, plant, n_tiles, m, n, k,
         map_of(a, m, k, kTileRows), map_of(b, k, n, kStep), c);
}

}  // namespace cpbench::vgpu
