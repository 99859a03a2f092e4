#include "vgpu/instructions/wgmma_kernels.hpp"

#include "backend/cuda/launch.hpp"
#include "backend/cuda/ptx/ptx.hpp"

namespace cpbench::vgpu {
namespace {

constexpr int kThreads = 128;

template <typename T, int kN, ptx::Major kMajorA, ptx::Major kMajorB>
__device__ void multiply(WgmmaPlant plant, const WgmmaCase& shape, unsigned char* memory,
                         const std::uint32_t* a_registers, float* out) {
  const int thread = ptx::thread_index(), warp = thread / 32;
  const std::uint64_t base = ptx::shared_address(memory) >> 4;
  std::uint64_t b = shape.b + base;
  if (plant == WgmmaPlant::kOtherDescriptor && warp == 2) b += 2;
  float d[kN / 2];
  std::uint32_t a[4] = {};
  for (float& value : d) value = 1.0f;
  if (shape.a_in_registers) {
    for (int i = 0; i < 4; ++i) a[i] = a_registers[thread * 4 + i];
  }
  if (plant != WgmmaPlant::kNoFence) ptx::wgmma_fence();
  if (plant == WgmmaPlant::kTouchAfterFence) d[3] = 1.0f;
  for (int i = 0; i < shape.repeat; ++i) {
    if (plant == WgmmaPlant::kMissingWarp && warp == 1 && i == 1) break;
    if (shape.a_in_registers) {
      ptx::wgmma<T, kN, kMajorB>(d, a, b, i > 0);
    } else {
      ptx::wgmma<T, kN, kMajorA, kMajorB>(d, shape.a + base, b, i > 0);
    }
    ptx::wgmma_commit();
  }
  auto* const words = reinterpret_cast<std::uint32_t*>(memory + ((shape.b & 0x3fff) << 4));
  if (plant == WgmmaPlant::kOverwriteOperand) words[thread] = 0;
  if (plant == WgmmaPlant::kOverwriteA) a[1] = 0;
  if (plant == WgmmaPlant::kWaitForOlder) {
    ptx::wgmma_wait<1>();
  } else if (plant == WgmmaPlant::kOneWarpWaits) {
    // Warp 0's wait is all that the barrier hands on.
    if (warp == 0) ptx::wgmma_wait<0>();
    ptx::block_sync();
    if (warp == 1) words[thread] = 0;
    ptx::wgmma_wait<0>();
  } else if (plant != WgmmaPlant::kNoWait) {
    ptx::wgmma_wait<0>();
  }
  if (plant == WgmmaPlant::kOverwriteOwnRows && thread == 96) {
    const auto address = (shape.a & 0x3fff) << 4, eight_rows = (shape.a >> 32 & 0x3fff) << 4;
    *reinterpret_cast<std::uint32_t*>(memory + address + 48 / 8 * eight_rows) = 0;
  }
  for (int i = 0; i < kN / 2; ++i) out[thread * (kN / 2) + i] = d[i];
}

template <typename T, int kN, ptx::Major kMajorA, ptx::Major kMajorB>
__global__ void multiply_kernel(WgmmaPlant plant, WgmmaCase shape, const std::uint32_t* image, int words,
                                const std::uint32_t* a_registers, float* d) {
  CPBENCH_SHARED_MEMORY(memory);
  for (int i = ptx::thread_index(); i < words; i += kThreads) reinterpret_cast<std::uint32_t*>(memory)[i] = image[i];
  if (plant != WgmmaPlant::kNoProxyFence) ptx::fence_proxy_async();
  ptx::block_sync();
  multiply<T, kN, kMajorA, kMajorB>(plant, shape, memory, a_registers, d);
}

template <typename T, int kN>
void launch_multiply(WgmmaPlant plant, const WgmmaCase& shape, const std::uint32_t* image, std::size_t image_bytes,
                     const std::uint32_t* a_registers, float* d) {
  using enum ptx::Major;
  constexpr auto kAa = multiply_kernel<T, kN, kSummed, kSummed>;
  constexpr auto kAb = multiply_kernel<T, kN, kSummed, kOther>;
  constexpr auto kBa = multiply_kernel<T, kN, kOther, kSummed>;
  constexpr auto kBb = multiply_kernel<T, kN, kOther, kOther>;
  const auto kernel = shape.a_other_major ? (shape.b_other_major ? kBb : kBa) : (shape.b_other_major ? kAb : kAa);
  launch(kernel, 1, kThreads, static_cast<int>(image_bytes), nullptr, plant, shape, image,
         static_cast<int>(image_bytes / 4), a_registers, d);
}

__global__ void sum_unwritten_kernel(float* sums) {
  CPBENCH_SHARED_MEMORY(memory);
  constexpr int kBytes = 64 * 32;
  for (int i = ptx::thread_index(); i < kBytes / 4; i += ptx::thread_count()) {
    reinterpret_cast<float*>(memory)[i] = 0;
  }
  ptx::fence_proxy_async();
  ptx::block_sync();
  const std::uint64_t zeros = ptx::shared_address(memory) >> 4 | std::uint64_t{8} << 16 | std::uint64_t{16} << 32;
  float d[32], sum = 0;
  for (int i = 0; i < 3; ++i) {
    ptx::wgmma_fence();
    ptx::wgmma<bf16, 64, ptx::Major::kSummed, ptx::Major::kSummed>(d, zeros, zeros, false);
    ptx::wgmma_commit();
    ptx::wgmma_wait<0>();
    sum += d[i];
  }
  sums[ptx::thread_index()] = sum;
}

__global__ void reallocate_kernel(bool lower_first, int* fits) {
  const int group = ptx::thread_index() / 128;
  if (group == 0 && lower_first) ptx::lower_registers<24>();
  if (group > 0) ptx::raise_registers<240>();
  fits[ptx::thread_index()] = ptx::thread_index();
}

}  // namespace

void multiply_wgmma(WgmmaPlant plant, const WgmmaCase& shape, const std::uint32_t* image, std::size_t image_bytes,
                    const std::uint32_t* a_registers, float* d) {
  const auto with_type = [&]<int kN>() {
    if (shape.fp16) {
      launch_multiply<fp16, kN>(plant, shape, image, image_bytes, a_registers, d);
    } else {
      launch_multiply<bf16, kN>(plant, shape, image, image_bytes, a_registers, d);
    }
  };
  if (shape.n == 64) with_type.operator()<64>();
  if (shape.n == 80) with_type.operator()<80>();
  if (shape.n == 96) with_type.operator()<96>();
  if (shape.n == 128) with_type.operator()<128>();
  if (shape.n == 176) with_type.operator()<176>();
}

void sum_unwritten(int threads, float* sums) { launch(sum_unwritten_kernel, 1, threads, 64 * 32, nullptr, sums); }

void reallocate_registers(bool lower_first, int* fits) {
  launch(reallocate_kernel, 1, 384, 0, nullptr, lower_first, fits);
}

}  // namespace cpbench::vgpu
