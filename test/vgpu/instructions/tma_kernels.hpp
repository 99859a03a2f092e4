// Kernels that try TMA and mbarriers, with faults that can be planted.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "problem/dtype.hpp"
#include "vgpu/runtime.hpp"

namespace cpbench::vgpu {

enum class BoxPlant {
  kNone,
  kNoInitFence,     ///< between mbarrier.init and the copy
  kNoInitSync,      ///< other threads use the barrier that one thread initialised
  kNoWait,          ///< the box is read before it is there
  kWrongParity,     ///< the wait is for the phase before
  kTooFewBytes,     ///< expected: the phase completes before the copy
  kTooManyBytes,    ///< the phase never completes
  kArrivalTooMany,  ///< one thread arrives at a phase that the others know nothing of
  kLeaveEarly,      ///< the block ends while the copy is under way
  kNoStoreFence,    ///< the box is changed and stored without fence.proxy.async
  kNoStoreWait,     ///< the block ends before the store has read
  kReuseEarly,      ///< the box is overwritten before the store has read
};

/// Loads the box at `at`, writes its bytes in shared memory to `image`, adds 1 to its fp32 elements (where `change`
/// holds) and stores it, or adds it, to `to`, at the same place.
struct BoxCase {
  std::array<int, 4> at;
  int box_bytes;
  bool change, add;
};
void pass_box(BoxPlant plant, const BoxCase& shape, const CUtensorMap& from, const CUtensorMap& to,
              std::uint32_t* image);

enum class PipelinePlant {
  kNone,
  kNoEmptyWait,       ///< the producer does not wait for consumers
  kEmptyWrongParity,  ///< the producer waits for the phase before
  kReleaseEarly,      ///< consumers give a stage back before their wgmma has read it
  kFullWrongParity,   ///< consumers wait for the phase before
  kNoRelease,         ///< one consumer warp never gives stages back
  kWrongAdvance,      ///< the descriptor of the second 16 of K is 16 bytes off
};

/// c [m][n] = a [m][k] * b [k][n], row major: a warp that loads, two warpgroups that multiply 128 x 128 tiles in steps
/// of 64, two stages. m, n and k may be anything where rows are multiples of 16 bytes.
void multiply_sm90(PipelinePlant plant, int m, int n, int k, const bf16* a, const bf16* b, float* c);

}  // namespace cpbench::vgpu
