// A transport that one finds broken only by looking at what arrives: what rank 2 sends rank 1 loses a bit beyond its
// first 1,000 bytes. It is used where it is named.
#include "transport/carrier.hpp"
#include "transport/corrupting_transport.hpp"
#include "transport/mpi_transport.hpp"

namespace cpbench {
namespace {

const RegisterCarrier kLossy({.name = "lossy",
                              .platform = "cpu",
                              .preference = -1,
                              .obstacles = no_obstacles,
                              .make =
                                  [](const Communicator& ranks, Backend&, const TransportOptions&) {
                                    return std::make_unique<CorruptingTransport>(
                                        std::make_unique<MpiTransport>(ranks), ranks.rank(),
                                        CorruptingTransport::Defect{.from = 2, .to = 1, .byte = 1000});
                                  },
                              .is_queued = false});

}  // namespace
}  // namespace cpbench
