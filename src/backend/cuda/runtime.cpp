#include "backend/cuda/runtime.hpp"

#include "support/error.hpp"

namespace cpbench {

void check(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  throw Error(ExitCode::kDevice, fmt::format("{}: {}", what, cudaGetErrorString(status)));
}

int made_current(int device) {
  check(cudaSetDevice(device), "cudaSetDevice");
  return device;
}

}  // namespace cpbench
