// Small random damage to programs.
#pragma once

#include <random>
#include <string>

#include "schedule/schedule.hpp"

namespace cpbench {

/// Changes one thing somewhere: a dependency, a tile, an operand, a flag, a head map, a transfer, the order or number
/// of operations, ... The schedule may still be right afterwards. Returns what was done.
std::string mutate(Schedule& schedule, std::mt19937_64& random);

}  // namespace cpbench
