#include "cli/commands/deadline.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>

#include "transport/mpi_session.hpp"

namespace cpbench {

Deadline::Deadline(std::optional<double> seconds, int rank) {
  if (!seconds) return;
  watch_ = std::thread([this, seconds, rank] {
    std::unique_lock lock(mutex_);
    if (met_.wait_for(lock, std::chrono::duration<double>(*seconds), [this] { return is_met_; })) return;
    if (rank == 0)
      fmt::print(stderr, "cpbench: timeout after {} s; finished points are in the .jsonl file\n", *seconds);
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
