// Kernels that try barriers, warps' instructions and ordinary accesses, with faults that can be planted.
#pragma once

namespace cpbench::vgpu {

enum class BarrierPlant {
  kNone,
  kNoBlockSync,          ///< shared memory is read before the barrier
  kExitBeforeBlockSync,  ///< one thread exits instead
  kWrongCount,           ///< a named barrier for other threads than come
  kNoArrival,            ///< one warp does not arrive at the named barrier that others wait at
  kArrivalTooMany,       ///< one warp arrives at a named barrier that nobody waits at
  kNoWarpSync,           ///< lanes read what other lanes of the warp wrote
  kMissedShuffle,        ///< one lane does not shuffle
  kOtherCollective,      ///< one lane votes instead
  kUnwrittenShared,      ///< an element that nobody wrote is read
  kUnwrittenGlobal,
  kBeyondShared,    ///< an element beyond the shared memory
  kBeyondGlobal,    ///< an element before the allocation
  kHostMemory,      ///< a pointer to the host's memory
  kTwoBlocks,       ///< two blocks write one element
  kReadOtherBlock,  ///< a block reads what another wrote
};

/// out[i] = in[n - 1 - i] for n = 64 * blocks, each block by way of shared memory. `host` is read by one plant.
void reverse(BarrierPlant plant, int blocks, const float* in, float* out, const float* host);

/// Warps hand a value on through named barriers 1 to 3: out[i] = in[i] + 3, 128 threads.
void relay(BarrierPlant plant, const float* in, float* out);

/// out[i] for 32 lanes: the sum over the warp by shuffles, the value of lane 5, and whether any and all are positive.
void warp_reduce(BarrierPlant plant, const float* in, float* sum, float* fifth, int* any, int* all);

/// count += number of threads, *sum += 1.0f per thread; tickets[i] is one of 0..n-1, each once.
void count_atomically(int blocks, int* count, float* sum, int* tickets);

}  // namespace cpbench::vgpu
