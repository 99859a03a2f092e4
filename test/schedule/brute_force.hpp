// Runs the programs of all ranks on sets of pairs instead of numbers, in a random order, and compares every result with
// the problem pair by pair. Knows the operations from program.hpp alone, and nothing of `verify` or `accesses_of`.
#pragma once

#include <cstdint>
#include <string>

#include "schedule/schedule.hpp"

namespace cpbench {

/// Whether the results are right, and what is wrong otherwise. An operation reads when it starts or when it ends and
/// writes when it starts or ends, at random; what it is to write may be garbage in between. Runs everything twice, as a
/// benchmark does (with Pass::kBackward only the backward operations the second time).
struct BruteForceResult {
  bool right = true;
  std::string reason;
};
BruteForceResult run_by_brute_force(const Schedule& schedule, std::uint64_t seed);

}  // namespace cpbench
