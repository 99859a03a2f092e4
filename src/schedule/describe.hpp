// Programs as text, for `plan`, the documentation and error messages.
#pragma once

#include <string>

#include "schedule/program.hpp"

namespace cpbench {

/// An operation of rank `rank`: `  7 inner    kv hop 2             kv#5 -> 3, kv#6 <- 1 (4096 B, inner)   after 4`.
/// The bytes are those that leave the rank, or where none do those that reach it.
std::string describe(const Program& program, OpId id, int rank, std::int64_t batch);

}  // namespace cpbench
