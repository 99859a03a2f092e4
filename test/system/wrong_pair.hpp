// The smallest fault there is: one query row of one step of one rank sees one key too few or too many.
#pragma once

#include <cstdint>
#include <optional>

#include "run/fault.hpp"

namespace cpbench::test {

struct WrongPair {
  int rank;
  Plant plant;
};

/// Moves the band's upper edge by one key in one row of one tile, by seed: in an Attend, or with `backward` in an
/// AttendBackward. Nothing where the schedule attends nothing there.
std::optional<WrongPair> wrong_pair(const Schedule& schedule, bool backward, std::uint64_t seed);

}  // namespace cpbench::test
