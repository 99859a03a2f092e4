// The CUDA runtime as this project uses it: the toolkit's headers, or the virtual GPU's, which declare the same names.
#pragma once

#ifdef CPBENCH_VIRTUAL_GPU
#include "vgpu/runtime.hpp"
#else
#include <cuda.h>
#include <cuda_runtime_api.h>
#endif

namespace cpbench {

/// Throws a device error (exit 4) that names `what` where `status` is not success.
void check(cudaError_t status, const char* what);

/// Makes a device the calling thread's, and returns it.
int made_current(int device);

}  // namespace cpbench
