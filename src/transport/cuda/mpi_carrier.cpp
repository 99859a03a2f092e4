// MPI for the memory of GPUs: directly where the library reads and writes it, through the host's else.
#include <mpi.h>
#if __has_include(<mpi-ext.h>)
#include <mpi-ext.h>
#endif

#include <array>
#include <cstdlib>
#include <string>
#include <string_view>

#include "transport/carrier.hpp"
#include "transport/cuda/staged_transport.hpp"
#include "transport/mpi_session.hpp"
#include "transport/mpi_transport.hpp"

namespace cpbench {
namespace {

/// What the library says of itself: Open MPI and MVAPICH by one question, MPICH since 3.4 and what derives from it by
/// another. (MPICH answers the first as well, but 3.4 with an assertion that fails.) Of others it is not known.
bool library_says_so() {
#if defined(MPIX_CUDA_AWARE_SUPPORT)
  return MPIX_Query_cuda_support() == 1;
#elif defined(MPIX_GPU_SUPPORT_CUDA)
  int is_supported = 0;
  return MPIX_GPU_query_support(MPIX_GPU_SUPPORT_CUDA, &is_supported) == MPI_SUCCESS && is_supported != 0;
#else
  return false;
#endif
}

/// Some take it only where the environment says so, and whether their answer minds that is not documented. It is the
/// library that runs which counts: those of MPICH's ABI stand in for each other.
bool is_switched_on(std::string_view library) {
  struct Switch {
    std::string_view library;
    const char* variable;
  };
  constexpr std::array kSwitches = {Switch{"CRAY MPICH", "MPICH_GPU_SUPPORT_ENABLED"},
                                    Switch{"Intel(R) MPI", "I_MPI_OFFLOAD"}, Switch{"MVAPICH2", "MV2_USE_CUDA"}};
  for (const Switch& one : kSwitches) {
    if (library.find(one.library) == std::string_view::npos) continue;
    const char* const value = std::getenv(one.variable);
    return value != nullptr && *value != '\0' && std::string_view(value) != "0";
  }
  return true;
}

bool mpi_takes_device_memory() { return library_says_so() && is_switched_on(mpi_library_version()); }

std::unique_ptr<Transport> make(const Communicator& ranks, Backend&, const TransportOptions&) {
  if (mpi_takes_device_memory()) return std::make_unique<MpiTransport>(ranks);
  return std::make_unique<StagedTransport>(ranks);
}

const RegisterCarrier kRegistered({.name = "mpi",
                                   .platform = "cuda",
                                   .preference = 0,
                                   .obstacles = no_obstacles,
                                   .make = make,
                                   .is_queued = false,
                                   .describe = [] {
                                     return std::string(mpi_takes_device_memory() ? "direct" : "through pinned memory");
                                   }});

}  // namespace
}  // namespace cpbench
