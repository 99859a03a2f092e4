// What a run must make anew, made useless before it: results and blocks that an earlier run left are correct, and a run
// that skips a step or waits for nothing would pass with them.
#pragma once

#include "backend/backend.hpp"

namespace cpbench {

/// Overwrites all buffers in which the pass uses only what it wrote before, by bytes that are NaN in every type; by
/// zeros, as they were allocated, where a kernel may load rows of them that nothing writes. Inputs stay, and so does
/// what the backward pass alone takes from a forward pass.
void poison(const ProgramMemory& memory, Pass pass, Backend& backend);

}  // namespace cpbench
