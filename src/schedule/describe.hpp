// Programs as text, for `plan`, the documentation and error messages.
#pragma once

#include <string>

#include "schedule/schedule.hpp"

namespace cpbench {

/// One line: `  7 inner    kv hop 2          send kv#5 -> 3, receive kv#6 <- 1       after 4`.
std::string describe(const Program& program, OpId id, std::int64_t batch);

/// All operations of a rank, one line each, after a line for each buffer.
std::string describe(const Schedule& schedule, int rank);

}  // namespace cpbench
