// In place of microkernels_avx512_bf16.cpp and microkernels_amx.cpp where the compiler knows no such instructions.
#include "backend/cpu/isa.hpp"

namespace cpbench {

const Microkernels* avx512_bf16_microkernels() { return nullptr; }
const Microkernels* avx512_amx_microkernels() { return nullptr; }

}  // namespace cpbench
