// Where a thread is, the block's shared memory, and atomic additions.
#pragma once

#include <cstdint>

/// The kernel's dynamic shared memory, as `unsigned char*`, aligned to 1,024 bytes: the block of a 128-byte swizzle.
/// Its bytes are undefined when the kernel starts.
#define CPBENCH_SHARED_MEMORY(name) extern __shared__ __align__(1024) unsigned char name[]

namespace cpbench::ptx {

using SharedAddress = std::uint32_t;

__device__ inline int thread_index() { return static_cast<int>(threadIdx.x); }
__device__ inline int thread_count() { return static_cast<int>(blockDim.x); }
__device__ inline int block_index() { return static_cast<int>(blockIdx.x); }
__device__ inline int block_count() { return static_cast<int>(gridDim.x); }

/// The address in the shared window of something in shared memory.
__device__ inline SharedAddress shared_address(const void* pointer) {
  return static_cast<SharedAddress>(__cvta_generic_to_shared(pointer));
}

/// *address += value in global memory, atomic and relaxed; the order of additions is undefined.
__device__ inline void atomic_add(float* address, float value) {
  asm volatile("red.global.add.f32 [%0], %1;" ::"l"(__cvta_generic_to_global(address)), "f"(value) : "memory");
}
/// The same for a counter; returns the value before.
__device__ inline int atomic_add(int* address, int value) {
  int before;
  asm volatile("atom.global.add.s32 %0, [%1], %2;"
               : "=r"(before)
               : "l"(__cvta_generic_to_global(address)), "r"(value)
               : "memory");
  return before;
}

}  // namespace cpbench::ptx
