// Matrix multiplication by warpgroups (wgmma) and their registers, sm_90a.
//
// Operands in shared memory are named by 64-bit descriptors (kernels make them: sm90/operand.hpp). Accumulators of
// m64nNk16: lane l of warp w of the warpgroup holds in d[4j], d[4j + 1] row 16w + l / 4, columns 8j + 2 * (l % 4) and
// the next, in d[4j + 2], d[4j + 3] the same of row 16w + l / 4 + 8. Operand A in registers: as multiply_m16n8k16's,
// for the warp's 16 rows.
#pragma once

#include <type_traits>

#include "backend/cuda/ptx/block.hpp"
#include "problem/dtype.hpp"

namespace cpbench::ptx {

/// Warpgroup. Orders the warpgroup's earlier accesses to registers before the wgmma that follow. Needed before the
/// first wgmma and after any other access to accumulators or register operands.
__device__ inline void wgmma_fence() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
/// Warpgroup. Closes the group of the wgmma since the last call.
__device__ inline void wgmma_commit() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }
/// Warpgroup. Waits until at most `kPending` of the youngest groups are unfinished. Until then neither the accumulators
/// nor the register operands may be touched, nor shared-memory operands written.
template <int kPending>
__device__ inline void wgmma_wait() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(kPending) : "memory");
}

/// No instruction: keeps the compiler from moving accesses to these registers across this point. Where wgmma uses them,
/// before its wgmma_fence and after the wait for it.
template <int kCount>
__device__ inline void hold_registers(float (&values)[kCount]) {
#pragma unroll
  for (int i = 0; i < kCount; ++i) asm volatile("" : "+f"(values[i])::"memory");
}
template <int kCount>
__device__ inline void hold_registers(std::uint32_t (&values)[kCount]) {
#pragma unroll
  for (int i = 0; i < kCount; ++i) asm volatile("" : "+r"(values[i])::"memory");
}

/// Computes `value`, which is never negative, and all that it is made of before whatever waits after this. ptxas moves
/// a wait ahead of arithmetic that does not depend on it, and what should have run beside wgmma then runs after it; but
/// it keeps the wait behind a trap, and cannot know that this one is never met.
__device__ inline void compute_before_waiting(float value) {
  asm volatile("{\n.reg .pred negative;\nsetp.lt.f32 negative, %0, 0f00000000;\n@negative trap;\n}" ::"f"(value)
               : "memory");
}

/// Which axis of an operand in shared memory is contiguous: the summed one (K), or the other (M or N).
enum class Major { kSummed = 0, kOther = 1 };

/// Warpgroup. Starts d = a * b + (accumulate ? d : 0): (64 x kN) (64 x 16) (16 x kN), T is bf16 or fp16. kN is 64, 80,
/// 96, 128 or 176, and d has kN / 2 elements.
template <typename T, int kN, Major kMajorA, Major kMajorB>
__device__ void wgmma(float (&d)[kN / 2], std::uint64_t a, std::uint64_t b, bool accumulate);
/// The same with A in registers.
template <typename T, int kN, Major kMajorB>
__device__ void wgmma(float (&d)[kN / 2], const std::uint32_t (&a)[4], std::uint64_t b, bool accumulate);

/// Warpgroup, once per warpgroup in each direction: registers per thread from now on, a multiple of 8 from 24 to 256.
/// Raising waits until others have released enough.
template <int kRegisters>
__device__ inline void raise_registers() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(kRegisters));
}
template <int kRegisters>
__device__ inline void lower_registers() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(kRegisters));
}

}  // namespace cpbench::ptx

#include "backend/cuda/ptx/wgmma-inl.hpp"
