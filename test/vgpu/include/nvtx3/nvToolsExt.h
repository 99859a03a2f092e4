// The ranges that a profiler would show, as far as they are used: kept for tests (vgpu/profiler.hpp).
#pragma once

// NOLINTBEGIN(readability-identifier-naming): NVTX's names
int nvtxRangePushA(const char* message);
int nvtxRangePop();
// NOLINTEND(readability-identifier-naming)
