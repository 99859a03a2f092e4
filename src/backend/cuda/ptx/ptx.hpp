// The GPU as kernels see it: every instruction and special register that they use, as a plain function, and nothing
// else. Kernels are ordinary C++ above this layer; a build with CPBENCH_VIRTUAL_GPU compiles the same kernels with a
// host compiler against functions of the same names that do on the CPU what the PTX ISA says.
//
// Conventions. A `SharedAddress` is an address in the block's shared window, as `shared_address` gives it. Functions
// that say "warp" must be called by all 32 lanes of a warp together, "warpgroup" by the 128 threads of four warps, the
// first of which has an index that is a multiple of four. A function that waits returns when the wait is over: kernels
// never spin. Blocks and grids have one axis.
#pragma once

#ifdef CPBENCH_VIRTUAL_GPU
#include "vgpu/ptx.hpp"
#else
#include "backend/cuda/ptx/async_copy.hpp"
#include "backend/cuda/ptx/barrier.hpp"
#include "backend/cuda/ptx/block.hpp"
#include "backend/cuda/ptx/convert.hpp"
#include "backend/cuda/ptx/math.hpp"
#include "backend/cuda/ptx/matrix.hpp"
#include "backend/cuda/ptx/mbarrier.hpp"
#include "backend/cuda/ptx/tma.hpp"
#include "backend/cuda/ptx/warpgroup.hpp"
#endif
