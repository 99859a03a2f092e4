// The gradient of attention sinks: every rank's part, summed up at rank 0.
#pragma once

#include "schedule/algorithms/operands.hpp"

namespace cpbench {

/// Each rank sums over its own queries; then a binary tree of exchanges adds the parts, rank 0 being the root. Nothing
/// to do without sinks.
void sum_sink_gradient(ProgramBuilder& builder, const Operands& operands, int rank);

}  // namespace cpbench
