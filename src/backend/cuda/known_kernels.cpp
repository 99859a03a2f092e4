#include "backend/cuda/known_kernels.hpp"

#include <vector>

#include "backend/cuda/runtime.hpp"
#include "support/error.hpp"

namespace cpbench {
namespace {

/// A function's static, so that it exists before the first kernel in whichever file comes first.
std::vector<const void*>& registry() {
  static std::vector<const void*> all;
  return all;
}

}  // namespace

void add_kernel(const void* kernel) { registry().push_back(kernel); }

void load_kernels() {
  for (const void* const kernel : registry()) {
    cudaFuncAttributes attributes{};
    const cudaError_t status = cudaFuncGetAttributes(&attributes, kernel);
    if (status == cudaErrorInvalidDeviceFunction || status == cudaErrorNoKernelImageForDevice) {
      cudaGetLastError();  // or the next call would return it
      continue;
    }
    if (status == cudaErrorMemoryAllocation) {
      cudaGetLastError();
      throw Error(ExitCode::kPlacement, "there is no device memory left to load the kernels into");
    }
    check(status, "cudaFuncGetAttributes");
  }
}

}  // namespace cpbench
