// The kernel `blocked`: packed operands, blocks that stay in the L2 cache, micro-kernels that keep tiles in registers.
// forward.cpp and backward.cpp say in which order; what a vector instruction does is said in microkernels-inl.hpp.
#pragma once

#include <vector>

#include "backend/cpu/aligned_buffer.hpp"
#include "backend/cpu/microkernels.hpp"
#include "backend/kernel.hpp"

namespace cpbench {

/// Scratch memory, kept from call to call.
struct BlockedWorkspace {
  AlignedBuffer shared;                   ///< packed operands of the heads that are worked on at a time
  std::vector<AlignedBuffer> per_thread;  ///< what a work item needs
};

void attend_blocked(const AttendArguments& arguments, const Microkernels& kernels, BlockedWorkspace& workspace,
                    const KernelContext& context);
void attend_backward_blocked(const AttendBackwardArguments& arguments, const Microkernels& kernels,
                             BlockedWorkspace& workspace, const KernelContext& context);

/// A K/V head of one sequence that a head map touches.
struct KvHead {
  std::int64_t b;
  int head;              ///< local in the K/V buffers
  int q_begin, q_count;  ///< the local query heads that read it
};
std::vector<KvHead> kv_heads_of(const HeadMap& heads, int group, std::int64_t batch);

}  // namespace cpbench
