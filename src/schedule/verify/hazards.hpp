// Accesses that nothing orders: a buffer written while it is read or in flight.
#pragma once

#include "problem/problem.hpp"
#include "schedule/verify/faults.hpp"

namespace cpbench::verification {

/// Every two accesses of one rank to overlapping regions, of which one writes, must be ordered by the stated
/// dependencies and the order of each stream; within one operation there must be none (but operands that are read and
/// written by definition). Owned inputs must survive. With Pass::kBackward the backward operations come last and must
/// leave alone what they read of the forward pass's, so that they can run again.
void check_hazards(Pass pass, const Program& program, int rank, Faults& faults);

}  // namespace cpbench::verification
