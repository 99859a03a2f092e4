// How far the clocks of the ranks are apart, so that their timelines can be drawn as one.
#pragma once

#include <cstdint>
#include <span>

#include "transport/communicator.hpp"

namespace cpbench {

/// Rank 0's time is this rank's time minus `offset_ns`, to within `residual_ns`.
struct ClockOffset {
  std::int64_t offset_ns = 0;
  std::int64_t residual_ns = 0;
};

/// One round trip from rank 0 to another rank: when it left, what the other clock said, when it was back.
struct RoundTrip {
  std::int64_t sent_ns, remote_ns, returned_ns;
};

/// The offset by the shortest round trip, taking the remote reading to lie in its middle; it cannot be wrong by more
/// than half of the trip, which is the residual. At least one trip.
ClockOffset estimate_offset(std::span<const RoundTrip> trips);

/// Collective: rank 0 plays with one rank after the other. Zero on rank 0.
ClockOffset synchronize_clocks(const Communicator& communicator);

}  // namespace cpbench
