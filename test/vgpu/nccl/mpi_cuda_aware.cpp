// An MPI that reads and writes the memory of devices, where CPBENCH_VGPU_CUDA_AWARE_MPI=1 says so: any does, for a
// virtual device's memory is the host's. (The question is Open MPI's.)
#include <cstdlib>
#include <string_view>

extern "C" int MPIX_Query_cuda_support() {  // NOLINT(readability-identifier-naming): Open MPI's name
  const char* const text = std::getenv("CPBENCH_VGPU_CUDA_AWARE_MPI");
  return text != nullptr && std::string_view(text) == "1" ? 1 : 0;
}
