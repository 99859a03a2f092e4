// An operation's buffer ids as views of the memory that they stand for: what every backend makes of an operation first.
#pragma once

#include "backend/backend.hpp"
#include "backend/kernel.hpp"

namespace cpbench {

AttendArguments operands_of(const Attend& op, const ProgramMemory& memory);
AttendBackwardArguments operands_of(const AttendBackward& op, const ProgramMemory& memory);

/// By global query head; null for kNoBuffer.
const float* sink_of(BufferId sink, const ProgramMemory& memory);

/// Both tensors of a pair, or the one of a single tensor, cut to a region.
BufferView view_of_region(const ProgramMemory& memory, const Region& region);

}  // namespace cpbench
