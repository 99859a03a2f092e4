// Asynchronous copies of the older kind (cp.async): a thread copies 16 bytes from global to shared memory.
#pragma once

#include "backend/cuda/ptx/block.hpp"

namespace cpbench::ptx {

/// Starts a copy of 16 bytes, both addresses aligned to 16. Where `valid` is false nothing is read (`from` may be any
/// address) and 16 bytes of zero are written.
__device__ inline void copy_async_16(SharedAddress to, const void* from, bool valid) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(__cvta_generic_to_global(from)),
               "r"(valid ? 16 : 0)
               : "memory");
}
/// Closes the group of this thread's copies since the last call; the group may be empty.
__device__ inline void copy_async_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
/// Waits until at most `kPending` of this thread's youngest groups are unfinished. Other threads see the copied bytes
/// after a barrier that follows.
template <int kPending>
__device__ inline void copy_async_wait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kPending) : "memory");
}

}  // namespace cpbench::ptx
