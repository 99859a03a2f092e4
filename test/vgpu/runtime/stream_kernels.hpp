// Small kernels for tests of streams.
#pragma once

#include "vgpu/runtime.hpp"

namespace cpbench::vgpu {

/// A captured stream may be given only kernels that are loaded.
void load_kernels();

/// to[i] = from[i] + 1; to may be from.
void add_one(const int* from, int* to, int count, cudaStream_t stream);

}  // namespace cpbench::vgpu
