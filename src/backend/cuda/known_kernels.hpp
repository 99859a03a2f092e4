// The kernels that run beside messages: loaded before any is under way.
#pragma once

namespace cpbench {

/// Adds a kernel to those that are loaded.
void add_kernel(const void* kernel);

/// Makes all of them resident on the current device, those for other devices left out. CUDA loads a kernel when it is
/// launched for the first time, unless CUDA_MODULE_LOADING=EAGER, and may wait for the whole device then: for a stream
/// that waits for another rank. Within a capture it may not at all. Throws Error(kPlacement) where memory runs out.
void load_kernels();

template <typename Kernel>
Kernel* known(Kernel* kernel) {
  add_kernel(reinterpret_cast<const void*>(kernel));
  return kernel;
}
/// Whatever names it adds its kernel, before main.
template <auto kKernel>
inline const auto kKnown = known(kKernel);

}  // namespace cpbench
