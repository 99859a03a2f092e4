#include "cli/commands/give_up.hpp"

#include <fmt/format.h>
#include <mpi.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>
#include <system_error>
#include <thread>

#include "cli/commands/watchdog.hpp"
#include "support/doing.hpp"
#include "support/error.hpp"
#include "transport/mpi_session.hpp"

namespace cpbench {
namespace {

Error error_of(const std::exception& error) {
  if (const auto* known = dynamic_cast<const Error*>(&error)) return *known;
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) {
    return {ExitCode::kPlacement, std::string("out of memory while ") + doing()};
  }
  if (dynamic_cast<const std::system_error*>(&error) != nullptr) return {ExitCode::kDevice, error.what()};
  return {ExitCode::kInternal, fmt::format("internal error while {}, a bug of cpbench: {}", doing(), error.what())};
}

/// Where MPI does not even know that, 0.
int rank_of_this_process() {
  int rank = 0;
  if (mpi_is_active()) MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return rank;
}

}  // namespace

void give_up(const std::exception& error) {
  Watchdog::dismiss();
  const Error known = error_of(error);
  const int rank = rank_of_this_process();
  std::this_thread::sleep_for(std::chrono::milliseconds(200) * std::min(rank, 20));
  fmt::print(stderr, "cpbench: rank {}: {}\n", rank, known.what());
  if (mpi_is_active()) abort_job(known.code());
  std::exit(static_cast<int>(known.code()));
}

}  // namespace cpbench
