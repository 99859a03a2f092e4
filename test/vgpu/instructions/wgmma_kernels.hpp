// Kernels that try wgmma, with faults that can be planted.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cpbench::vgpu {

enum class WgmmaPlant {
  kNone,
  kNoProxyFence,      ///< ordinary writes to the operands are not fenced
  kNoFence,           ///< no wgmma.fence at all
  kTouchAfterFence,   ///< an accumulator is written between wgmma.fence and wgmma
  kNoWait,            ///< accumulators are read before the wait
  kWaitForOlder,      ///< the wait leaves the last group pending
  kOverwriteOperand,  ///< an operand is written before the wait
  kOverwriteA,        ///< a register of A is written before the wait
  kOneWarpWaits,      ///< the others overwrite an operand after the wait of warp 0
  kOverwriteOwnRows,  ///< a warp overwrites its own rows of A after its own wait
  kMissingWarp,       ///< one warp leaves one wgmma out
  kOtherDescriptor,   ///< one warp names another operand
};

struct WgmmaCase {
  int n;                ///< 64, 80, 96, 128 or 176
  bool fp16;            ///< else bf16
  bool a_in_registers;  ///< those of `a_registers`
  bool a_other_major, b_other_major;
  std::uint64_t a, b;  ///< descriptors, with addresses that count from the begin of the image
  int repeat;          ///< 1, or 2: the product is added twice
};

/// d [128][n / 2], by thread: the product of operands in shared memory, which gets `image`. a_registers: [128][4].
void multiply_wgmma(WgmmaPlant plant, const WgmmaCase& shape, const std::uint32_t* image, std::size_t image_bytes,
                    const std::uint32_t* a_registers, float* d);

/// By `threads` threads, sums of elements of products of zeros whose accumulators nobody writes before: all 0.
void sum_unwritten(int threads, float* sums);

/// What registers the warpgroups of a block of 384 threads ask for, and 0 for none: fits[i] becomes i.
void reallocate_registers(bool lower_first, int* fits);

}  // namespace cpbench::vgpu
