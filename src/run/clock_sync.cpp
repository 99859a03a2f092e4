#include "run/clock_sync.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "support/clock.hpp"
#include "transport/backoff.hpp"
#include "transport/mpi_session.hpp"

namespace cpbench {
namespace {

constexpr int kTag = 0;
constexpr int kTrips = 50;

void send(const Communicator& communicator, int peer, const std::array<std::int64_t, 2>& values) {
  check_mpi(MPI_Send(values.data(), 2, MPI_INT64_T, peer, kTag, communicator.handle()), "MPI_Send");
}

std::array<std::int64_t, 2> receive(const Communicator& communicator, int peer) {
  std::array<std::int64_t, 2> values{};
  check_mpi(MPI_Recv(values.data(), 2, MPI_INT64_T, peer, kTag, communicator.handle(), MPI_STATUS_IGNORE), "MPI_Recv");
  return values;
}

/// Rank 0's side; the last message tells the other rank what was found.
void measure_rank(const Communicator& communicator, int rank) {
  std::vector<RoundTrip> trips;
  for (int i = 0; i < kTrips; ++i) {
    const std::int64_t sent = now_ns();
    send(communicator, rank, {});
    const std::int64_t remote = receive(communicator, rank)[0];
    trips.push_back({sent, remote, now_ns()});
  }
  const ClockOffset found = estimate_offset(trips);
  send(communicator, rank, {found.offset_ns, found.residual_ns});
}

/// Until rank 0 asks. A blocking receive would burn the core that a rank whose turn it is may need.
void await_turn(const Communicator& communicator) {
  int is_here = 0;
  for (Backoff backoff; is_here == 0; backoff.pause()) {
    check_mpi(MPI_Iprobe(0, kTag, communicator.handle(), &is_here, MPI_STATUS_IGNORE), "MPI_Iprobe");
  }
}

ClockOffset answer(const Communicator& communicator) {
  await_turn(communicator);
  for (int i = 0; i < kTrips; ++i) {
    receive(communicator, 0);
    send(communicator, 0, {now_ns(), 0});
  }
  const auto [offset, residual] = receive(communicator, 0);
  return {offset, residual};
}

}  // namespace

ClockOffset estimate_offset(std::span<const RoundTrip> trips) {
  const RoundTrip& best =
      *std::ranges::min_element(trips, {}, [](const RoundTrip& trip) { return trip.returned_ns - trip.sent_ns; });
  const std::int64_t duration = best.returned_ns - best.sent_ns;
  return {best.remote_ns - (best.sent_ns + duration / 2), (duration + 1) / 2};
}

ClockOffset synchronize_clocks(const Communicator& communicator) {
  if (communicator.rank() != 0) return answer(communicator);
  for (int rank = 1; rank < communicator.size(); ++rank) measure_rank(communicator, rank);
  return {};
}

}  // namespace cpbench
