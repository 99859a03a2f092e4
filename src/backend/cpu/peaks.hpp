// What this machine can do at most, measured: what kernels are compared with.
#pragma once

#include <cstdint>

#include "problem/dtype.hpp"

namespace cpbench {

/// Multiply-adds on registers, in FLOP/s over `threads` threads, by the instruction that the kernels use for tensors of
/// this storage type with the instruction set in use (isa.hpp): vdpbf16ps counts 4 a lane, an FMA 2, tdpbf16ps 2 for
/// each of 16 x 16 x 32 products; fp16 is computed in fp32. The best of 12 runs of two milliseconds.
double fma_peak_flops(DType dtype, int threads);

/// Bytes per second that `threads` threads read and write (a[i] = b[i] + s * c[i] over arrays beyond every cache; the
/// line that is written and first has to be read is not counted).
double memory_bandwidth(int threads);

/// exp2 evaluations per second over `threads` threads, on numbers in the first-level cache: the best of 12 runs of two
/// milliseconds.
double exp_rate(int threads);

/// The fraction of the time for which a thread that only computes has a CPU, of the one of `threads` threads that has
/// least: 1, unless others run on its CPU, or a quota or a hypervisor withholds it. The best of 3 runs of a tenth of
/// a second, so that a short disturbance is not seen. (The rates of runs of two milliseconds hide even one that lasts:
/// for that long a scheduler leaves a thread alone.)
double cpu_time_fraction(int threads);

}  // namespace cpbench
