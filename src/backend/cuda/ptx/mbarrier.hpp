// Barriers in shared memory that count arrivals and bytes (mbarrier), sm_90, and fences between proxies.
//
// An mbarrier is 8 bytes of shared memory, aligned to 8. Its phase completes when no arrival and no byte is pending;
// the next phase then expects the same number of arrivals. A thread that waits names the parity of the phase that it
// waits for: 0 for the first, 1 for the second, 0 for the third, ...; waiting for the phase before the current one
// returns at once, so a fresh barrier passes parity 1.
#pragma once

#include "backend/cuda/ptx/block.hpp"

namespace cpbench::ptx {

/// One thread. `arrivals` per phase.
__device__ inline void mbarrier_init(SharedAddress barrier, int arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(arrivals) : "memory");
}
/// After mbarrier_init, by the thread that did it and before the block_sync that lets others use the barriers: makes
/// them visible to the asynchronous proxy.
__device__ inline void fence_mbarrier_init() { asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory"); }
/// Arrives once; what the thread did before is visible to those that wait for the phase.
__device__ inline void mbarrier_arrive(SharedAddress barrier) {
  asm volatile("{\n.reg .b64 state;\nmbarrier.arrive.shared::cta.b64 state, [%0];\n}" ::"r"(barrier) : "memory");
}
/// Arrives once and makes the current phase expect `bytes` more of asynchronous copies.
__device__ inline void mbarrier_arrive_expect(SharedAddress barrier, int bytes) {
  asm volatile("{\n.reg .b64 state;\nmbarrier.arrive.expect_tx.shared::cta.b64 state, [%0], %1;\n}" ::"r"(barrier),
               "r"(bytes)
               : "memory");
}
/// Waits for the phase of this parity, and sees what those that arrived did before and what copies wrote.
__device__ inline void mbarrier_wait(SharedAddress barrier, int parity) {
  asm volatile(
      "{\n.reg .pred done;\n"
      "again:\n"
      "mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
      "@!done bra again;\n}" ::"r"(barrier),
      "r"(parity)
      : "memory");
}

/// Orders this thread's ordinary accesses to shared memory before later accesses by the asynchronous proxy (wgmma,
/// TMA); a barrier that follows extends that to other threads' wgmma and TMA.
__device__ inline void fence_proxy_async() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }

}  // namespace cpbench::ptx
