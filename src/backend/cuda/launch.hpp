// Starts kernels.
#pragma once

#include "backend/cuda/known_kernels.hpp"
#ifdef CPBENCH_VIRTUAL_GPU
#include "vgpu/launch.hpp"  // the same function
#else
#include <type_traits>

#include "backend/cuda/runtime.hpp"

namespace cpbench {

/// Queues `kernel(arguments...)` on `stream`: `blocks` blocks of `threads` threads with `shared_bytes` of dynamic
/// shared memory each. Nothing is launched where blocks is 0. Throws a device error where the launch is refused.
template <typename... Parameters>
void launch(void (*kernel)(Parameters...), int blocks, int threads, int shared_bytes, cudaStream_t stream,
            const std::type_identity_t<std::remove_cvref_t<Parameters> >&... arguments) {
  if (blocks == 0) return;
  constexpr int kWithoutAsking = 48 << 10;
  if (shared_bytes > kWithoutAsking) {
    check(cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel), cudaFuncAttributeMaxDynamicSharedMemorySize,
                               shared_bytes),
          "cudaFuncSetAttribute");
  }
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(static_cast<unsigned>(blocks));
  config.blockDim = dim3(static_cast<unsigned>(threads));
  config.dynamicSmemBytes = static_cast<std::size_t>(shared_bytes);
  config.stream = stream;
  const void* pointers[] = {&arguments..., nullptr};
  check(cudaLaunchKernelExC(&config, reinterpret_cast<const void*>(kernel), const_cast<void**>(pointers)),
        "cudaLaunchKernelExC");
}

}  // namespace cpbench
#endif

namespace cpbench {

/// The same of a kernel that may run beside messages: load_kernels knows it.
template <auto kKernel, typename... Arguments>
void launch(int blocks, int threads, int shared_bytes, cudaStream_t stream, const Arguments&... arguments) {
  launch(kKnown<kKernel>, blocks, threads, shared_bytes, stream, arguments...);
}

}  // namespace cpbench
