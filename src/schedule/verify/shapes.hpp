// Local sense: whatever the later checks index with is in range, and the operands of an operation fit each other.
#pragma once

#include "problem/problem.hpp"
#include "schedule/verify/faults.hpp"

namespace cpbench::verification {

/// Checks the program of `rank`, which holds `own_rows` of the `ranks` ranks' tokens.
void check_shapes(const Problem& problem, const Program& program, int rank, int ranks, std::int64_t own_rows,
                  Faults& faults);

}  // namespace cpbench::verification
