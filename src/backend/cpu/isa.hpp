// Which instruction set the micro-kernels use: chosen at run time, the best that this CPU has unless one is forced.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "backend/cpu/microkernels.hpp"
#include "problem/dtype.hpp"

namespace cpbench {

/// The names that this CPU can run, the fastest first: of `avx512-amx`, `avx512-bf16`, `avx512`, `avx2`, `sse4`,
/// `neon`, `generic`. The first three differ only for bf16, and it depends on the CPU which of them is faster.
std::vector<std::string> isa_names();
/// Forces an instruction set for the whole process, before kernels run. Throws a usage error for a name that is unknown
/// or that this CPU cannot run. Without a call, $CPBENCH_ISA counts, and without that the best.
void set_isa(std::string_view name);
/// The one in use.
std::string_view isa();

/// The micro-kernels in use for tensors of this storage type: words are pairs of bf16 only where tensors are bf16 and
/// the instruction set multiplies them, and fp32 otherwise.
const Microkernels& microkernels_for(DType dtype);

/// Those of one file each, where this CPU can run them: the best first, or null.
std::vector<const Microkernels*> fp32_microkernels();
const Microkernels* avx512_bf16_microkernels();
const Microkernels* avx512_amx_microkernels();
/// Pairs of bf16 whose rows are those of AVX-512: nothing of them is multiplied.
Microkernels with_rows_of_avx512(Microkernels pairs);

}  // namespace cpbench
