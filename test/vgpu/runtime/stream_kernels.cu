#include "vgpu/runtime/stream_kernels.hpp"

#include "backend/cuda/launch.hpp"
#include "backend/cuda/ptx/ptx.hpp"

namespace cpbench::vgpu {
namespace {

__global__ void add_one_kernel(const int* from, int* to, int count) {
  const int i = ptx::block_index() * ptx::thread_count() + ptx::thread_index();
  if (i < count) to[i] = from[i] + 1;
}

}  // namespace

void load_kernels() {
  cudaFuncAttributes attributes{};
  cudaFuncGetAttributes(&attributes, reinterpret_cast<const void*>(&add_one_kernel));
}

void add_one(const int* from, int* to, int count, cudaStream_t stream) {
  launch(add_one_kernel, (count + 31) / 32, 32, 0, stream, from, to, count);
}

}  // namespace cpbench::vgpu
