// Whether two runs left the same results.
#pragma once

#include <cstdint>

#include "backend/backend.hpp"

namespace cpbench {

/// A hash (after MurmurHash64A) of the bits of the results that a rank owns: out, lse, dq, dk, dv and dsink, as far as
/// its program has them. Of host memory.
std::uint64_t hash_of_results(const ProgramMemory& memory);

}  // namespace cpbench
