#include "transport/carrier.hpp"
#include "transport/mpi_transport.hpp"

namespace cpbench {
namespace {

const RegisterCarrier kRegistered({.name = "mpi",
                                   .platform = "cpu",
                                   .preference = 0,
                                   .obstacles = no_obstacles,
                                   .make =
                                       [](const Communicator& ranks, Backend&, const TransportOptions&) {
                                         return std::make_unique<MpiTransport>(ranks);
                                       },
                                   .is_queued = false});

}  // namespace
}  // namespace cpbench
