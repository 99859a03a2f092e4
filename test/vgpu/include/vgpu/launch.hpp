// cpbench::launch of src/backend/cuda/launch.hpp on the virtual GPU.
#pragma once

#include <memory>
#include <type_traits>

#include "vgpu/kernel_call.hpp"

namespace cpbench {

template <typename... Parameters>
void launch(void (*kernel)(Parameters...), int blocks, int threads, int shared_bytes, cudaStream_t stream,
            const std::type_identity_t<std::remove_cvref_t<Parameters> >&... arguments) {
  if (blocks == 0) return;
  vgpu::launch_kernel({blocks, threads, shared_bytes}, stream,
                      std::make_unique<vgpu::KernelCallOf<Parameters...> >(kernel, arguments...));
}

}  // namespace cpbench
