// MPI for the memory of GPUs: directly where the library reads and writes it, through the host's else.
#include <mpi.h>
#if __has_include(<mpi-ext.h>)
#include <mpi-ext.h>
#endif

#include "transport/carrier.hpp"
#include "transport/cuda/staged_transport.hpp"
#include "transport/mpi_transport.hpp"

namespace cpbench {
namespace {

/// Open MPI and what derives from it say so; of others it is not known.
bool mpi_takes_device_memory() {
#ifdef MPIX_CUDA_AWARE_SUPPORT
  return MPIX_Query_cuda_support() == 1;
#else
  return false;
#endif
}

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
