// Matrices of a warp: fragments to and from shared memory, and multiplication (mma.sync).
//
// Fragments as the PTX ISA defines them. An 8x8 matrix of 16-bit elements holds in lane l's register row l / 4, columns
// 2 * (l % 4) and the next. A 16x16 operand A is four of them: rows 0-7 columns 0-7, rows 8-15 columns 0-7, rows 0-7
// columns 8-15, rows 8-15 columns 8-15. Operand B (16x8) is two, transposed: lane l has rows 2 * (l % 4) and the next
// (+ 8 in the second register) of column l / 4. Accumulators (16x8) hold row l / 4, columns 2 * (l % 4) and the next,
// then the same of row l / 4 + 8.
#pragma once

#include "backend/cuda/ptx/block.hpp"
#include "problem/dtype.hpp"

namespace cpbench::ptx {

/// Warp. Loads four 8x8 matrices: lanes 8i to 8i + 7 give the addresses (aligned to 16) of the rows of matrix i, which
/// goes to fragment[i].
__device__ inline void load_matrix_x4(std::uint32_t (&fragment)[4], SharedAddress row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(fragment[0]), "=r"(fragment[1]), "=r"(fragment[2]), "=r"(fragment[3])
               : "r"(row)
               : "memory");
}
/// The same, each 8x8 matrix transposed.
__device__ inline void load_matrix_x4_transposed(std::uint32_t (&fragment)[4], SharedAddress row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(fragment[0]), "=r"(fragment[1]), "=r"(fragment[2]), "=r"(fragment[3])
               : "r"(row)
               : "memory");
}
/// Warp, sm_90. Stores four 8x8 matrices, the reverse of load_matrix_x4.
__device__ inline void store_matrix_x4(SharedAddress row, const std::uint32_t (&fragment)[4]) {
  asm volatile("stmatrix.sync.aligned.m8n8.x4.shared.b16 [%0], {%1, %2, %3, %4};" ::"r"(row), "r"(fragment[0]),
               "r"(fragment[1]), "r"(fragment[2]), "r"(fragment[3])
               : "memory");
}

/// Warp. d += a * b: (16x8) += (16x16) (16x8), T is bf16 or fp16, fp32 accumulation.
template <typename T>
__device__ void multiply_m16n8k16(float (&d)[4], const std::uint32_t (&a)[4], std::uint32_t b0, std::uint32_t b1);

#define CPBENCH_MULTIPLY(type, name)                                                                         \
  template <>                                                                                                \
  __device__ inline void multiply_m16n8k16<type>(float(&d)[4], const std::uint32_t(&a)[4], std::uint32_t b0, \
                                                 std::uint32_t b1) {                                         \
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32." name "." name                                      \
                 ".f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"                      \
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])                                            \
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));                            \
  }
CPBENCH_MULTIPLY(bf16, "bf16")
CPBENCH_MULTIPLY(fp16, "f16")
#undef CPBENCH_MULTIPLY

}  // namespace cpbench::ptx
