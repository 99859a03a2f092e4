#include "cli/commands/deadline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <utility>

#include "transport/mpi_session.hpp"

namespace cpbench {

Deadline::Deadline(std::optional<double> seconds, const Communicator& world, std::function<void()> on_expiry) {
  if (!seconds) return;
  watch_ = std::thread([this, allowed = *seconds, rank = world.rank(), on_expiry = std::move(on_expiry)] {
    // Rank 0 must be able to speak, and to write what was in flight, before another one ends the job.
    constexpr std::chrono::seconds kWriting{10};
    const std::chrono::seconds grace = rank == 0 ? std::chrono::seconds::zero() : kPatience + kWriting;
    constexpr double kForever = 1e8;  // years, and within what clocks can count
    const auto wait = std::chrono::duration<double>(std::min(allowed, kForever)) + grace;
    std::unique_lock lock(mutex_);
    if (met_.wait_for(lock, wait, [this] { return is_met_; })) return;
    fmt::print(stderr, "cpbench: timeout after {} s\n", allowed);
    try {
      on_expiry();
    } catch (const std::exception& error) {
      fmt::print(stderr, "cpbench: {}\n", error.what());
    }
    abort_job(ExitCode::kTimeout);
  });
}

Deadline::~Deadline() {
  {
    const std::lock_guard lock(mutex_);
    is_met_ = true;
  }
  met_.notify_all();
  if (watch_.joinable()) watch_.join();
}

}  // namespace cpbench
