// Where a run took place. Of the environment variables only those of a list are kept: a whole environment holds
// secrets.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "result/record.hpp"

namespace cpbench {

/// Host, kernel, CPU and listed variables of this process. `mpi_library`: what MPI_Get_library_version says; its first
/// line is kept. CUDA's and NCCL's versions are for the caller to add.
Environment this_environment(std::string_view mpi_library);

/// The names that are kept, sorted.
std::span<const std::string_view> kept_variables();

/// The name that the CPU gives itself, or the architecture where it gives none.
std::string cpu_name();
/// Now, in UTC: `2025-01-31T12:00:00Z`.
std::string utc_now();

}  // namespace cpbench
