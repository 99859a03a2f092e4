// In place of microkernels_avx512_bf16.cpp where the compiler knows no such instructions.
#include "backend/cpu/isa.hpp"

namespace cpbench {

const Microkernels* bf16_microkernels() { return nullptr; }

}  // namespace cpbench
