// The error state of the runtime API.
#pragma once

#include <string>

#include "vgpu/runtime.hpp"

namespace cpbench::vgpu {

/// Remembers an error for cudaGetLastError and returns it.
cudaError_t status(cudaError_t error);

/// Whether this call is to fail: CPBENCH_VGPU_FAIL=CALL names it, CALL:RANK on that rank of the job alone, and
/// CALL:RANK:NUMBER only there and only the so manieth, from 1.
bool is_to_fail(const std::string& call);

}  // namespace cpbench::vgpu
