// The words that CUDA C++ adds to the language, for a host compiler.
#pragma once

// NOLINTBEGIN(bugprone-reserved-identifier): the names that CUDA gives them
#define __global__
#define __device__
#define __host__
#define __constant__
#define __grid_constant__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __restrict__ __restrict
#define __align__(n) alignas(n)
// NOLINTEND(bugprone-reserved-identifier)
