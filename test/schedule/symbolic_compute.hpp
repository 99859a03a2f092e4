// What operations do to sets of pairs, from what program.hpp says of them.
#pragma once

#include <vector>

#include "schedule/expectation.hpp"

namespace cpbench::brute_force {

/// What an operation (other than an exchange, which does nothing here) writes, from what the buffers hold now.
std::vector<Write> compute(const Problem& problem, const Program& program, Expectation& expectation, Memory& memory,
                           const Op& op);

}  // namespace cpbench::brute_force
