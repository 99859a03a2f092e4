// An MPI that reads and writes the memory of devices, where CPBENCH_VGPU_CUDA_AWARE_MPI=1 says so: any does, for a
// virtual device's memory is the host's. The questions are Open MPI's and MPICH's. CPBENCH_VGPU_MPI_LIBRARY is what it
// calls itself.
#include <mpi.h>

#include <cstdlib>
#include <cstring>
#include <string_view>

namespace {

bool is_cuda_aware() {
  const char* const text = std::getenv("CPBENCH_VGPU_CUDA_AWARE_MPI");
  return text != nullptr && std::string_view(text) == "1";
}

}  // namespace

// NOLINTBEGIN(readability-identifier-naming): MPI's names
extern "C" {
int MPIX_Query_cuda_support() { return is_cuda_aware() ? 1 : 0; }

int MPIX_GPU_query_support(int, int* is_supported) {
  *is_supported = is_cuda_aware() ? 1 : 0;
  return MPI_SUCCESS;
}

int MPI_Get_library_version(char* version, int* length) {
  const char* const text = std::getenv("CPBENCH_VGPU_MPI_LIBRARY");
  if (text == nullptr) return PMPI_Get_library_version(version, length);
  std::strncpy(version, text, MPI_MAX_LIBRARY_VERSION_STRING - 1);
  *length = static_cast<int>(std::strlen(version));
  return MPI_SUCCESS;
}
}
// NOLINTEND(readability-identifier-naming)
