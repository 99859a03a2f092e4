// What a GPU can do at most.
#pragma once

#include <optional>

#include "problem/dtype.hpp"

namespace cpbench {

/// FLOP/s of `multiprocessors` of a GPU at `clock_hz`, by the dense rates of NVIDIA's architecture papers: of tensor
/// cores that sum in fp32 for bf16 and fp16, of ordinary multiply-adds for fp32. `capability`: 90 for 9.0. Nothing for
/// one that is not known.
std::optional<double> nominal_flops(int capability, DType dtype, int multiprocessors, double clock_hz);

}  // namespace cpbench
