// The error state of the runtime API.
#pragma once

#include "vgpu/runtime.hpp"

namespace cpbench::vgpu {

/// Remembers an error for cudaGetLastError and returns it.
cudaError_t status(cudaError_t error);

}  // namespace cpbench::vgpu
