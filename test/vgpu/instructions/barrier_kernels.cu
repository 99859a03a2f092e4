#include "vgpu/instructions/barrier_kernels.hpp"

#include "backend/cuda/launch.hpp"
#include "backend/cuda/ptx/ptx.hpp"

namespace cpbench::vgpu {
namespace {

constexpr int kThreads = 64;

__global__ void reverse_kernel(BarrierPlant plant, const float* in, float* out, const float* host) {
  CPBENCH_SHARED_MEMORY(memory);
  float* const row = reinterpret_cast<float*>(memory);
  const int i = ptx::thread_index(), block = ptx::block_index(), blocks = ptx::block_count();
  if (plant != BarrierPlant::kUnwrittenShared || i != 7) row[i] = in[block * kThreads + i];
  if (plant == BarrierPlant::kBeyondShared && i == 9) row[kThreads + 1] = 0.0f;
  if (plant == BarrierPlant::kBeyondGlobal && i == 9) row[i] = in[-1];
  if (plant == BarrierPlant::kHostMemory && i == 9) row[i] = host[0];
  if (plant == BarrierPlant::kUnwrittenGlobal && i == 9) row[i] = out[block * kThreads + i];
  if (plant == BarrierPlant::kExitBeforeBlockSync && i == 40) return;
  if (plant != BarrierPlant::kNoBlockSync) ptx::block_sync();
  int to = (blocks - 1 - block) * kThreads + i;
  if (plant == BarrierPlant::kTwoBlocks && i == 3) to = 3;
  out[to] = row[kThreads - 1 - i];
  if (plant == BarrierPlant::kReadOtherBlock && i == 0) out[to] += out[0];
}

__global__ void relay_kernel(BarrierPlant plant, const float* in, float* out) {
  CPBENCH_SHARED_MEMORY(memory);
  float* const row = reinterpret_cast<float*>(memory);
  const int i = ptx::thread_index(), warp = i / 32, lane = i % 32;
  const int threads = plant == BarrierPlant::kWrongCount && warp == 1 ? 96 : 64;
  // Warp w waits for what warp w - 1 wrote, and arrives for warp w + 1.
  if (warp > 0) ptx::barrier_sync(warp, threads);
  for (int part = 0; part < 4; ++part) {
    float* const element = row + part * 32 + lane;
    *element = warp == 0 ? in[part * 32 + lane] : *element + 1.0f;
  }
  const bool arrives = plant != BarrierPlant::kNoArrival || warp != 1;
  if (warp < 3 && arrives) ptx::barrier_arrive(warp + 1, threads);
  if (plant == BarrierPlant::kArrivalTooMany && warp == 1) ptx::barrier_arrive(4, threads);
  if (warp == 3) {
    for (int part = 0; part < 4; ++part) out[part * 32 + lane] = row[part * 32 + lane];
  }
}

__global__ void warp_reduce_kernel(BarrierPlant plant, const float* in, float* sum, float* fifth, int* any, int* all) {
  CPBENCH_SHARED_MEMORY(memory);
  float* const row = reinterpret_cast<float*>(memory);
  const int lane = ptx::thread_index();
  row[lane] = in[lane];
  if (plant != BarrierPlant::kNoWarpSync) ptx::warp_sync();
  const float own = row[lane ^ 1];
  float total = own;
  if (plant == BarrierPlant::kMissedShuffle && lane == 6) return;
  if (plant == BarrierPlant::kOtherCollective && lane == 6) {
    ptx::any(true);
    return;
  }
  for (int mask = 16; mask > 0; mask /= 2) total += ptx::shuffle_xor(total, mask);
  sum[lane] = total;
  fifth[lane] = ptx::shuffle(own, 5);
  any[lane] = ptx::any(own > 0.0f) ? 1 : 0;
  all[lane] = ptx::all(own > 0.0f) ? ptx::shuffle(lane, 1) : 0;
}

__global__ void count_kernel(int* count, float* sum, int* tickets) {
  const int ticket = ptx::atomic_add(count, 1);
  ptx::atomic_add(sum, 1.0f);
  tickets[ticket] = ticket;
}

}  // namespace

void reverse(BarrierPlant plant, int blocks, const float* in, float* out, const float* host) {
  launch(reverse_kernel, blocks, kThreads, kThreads * static_cast<int>(sizeof(float)), nullptr, plant, in, out, host);
}
void relay(BarrierPlant plant, const float* in, float* out) {
  launch(relay_kernel, 1, 128, 512, nullptr, plant, in, out);
}
void warp_reduce(BarrierPlant plant, const float* in, float* sum, float* fifth, int* any, int* all) {
  launch(warp_reduce_kernel, 1, 32, 128, nullptr, plant, in, sum, fifth, any, all);
}
void count_atomically(int blocks, int* count, float* sum, int* tickets) {
  launch(count_kernel, blocks, kThreads, 0, nullptr, count, sum, tickets);
}

}  // namespace cpbench::vgpu
