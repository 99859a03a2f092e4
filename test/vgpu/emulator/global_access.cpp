// Atomic additions, and addresses in the shared window.
#include "block.hpp"
#include "fault_message.hpp"
#include "global_shadow.hpp"
#include "vgpu/ptx.hpp"

namespace cpbench::ptx {
namespace {

using vgpu::block;

template <typename T>
T add(T* address, T value) {
  const auto place = reinterpret_cast<std::uintptr_t>(address);
  if (!vgpu::kGlobalMemory.contains(place) || place % sizeof(T) != 0) {
    vgpu::fail(vgpu::FaultKind::kOutOfBounds,
               "an atomic addition at {:#x}, which is not in global memory or not aligned", place);
  }
  const vgpu::Thread& thread = vgpu::running_thread();
  vgpu::global_shadow().update(place, sizeof(T), thread.epoch, block().knowledge_of(thread));
  const T before = *address;
  *address = before + value;
  return before;
}

}  // namespace

void atomic_add(float* address, float value) { add(address, value); }
int atomic_add(int* address, int value) { return add(address, value); }

SharedAddress shared_address(const void* pointer) {
  const auto place = reinterpret_cast<std::uintptr_t>(pointer);
  if (!vgpu::kSharedMemory.contains(place)) {
    vgpu::fail(vgpu::FaultKind::kMisuse, "{:#x} is not in shared memory", place);
  }
  return static_cast<SharedAddress>(place - vgpu::kSharedMemory.begin);
}

}  // namespace cpbench::ptx

namespace cpbench::vgpu {

unsigned char* dynamic_shared_memory() { return kSharedMemory.at<unsigned char>(kDynamicSharedBegin); }

std::size_t shared_offset(std::uint32_t address, std::size_t bytes, std::size_t alignment, const char* instruction) {
  if (address % alignment != 0) {
    fail(FaultKind::kMisuse, "{} at shared memory + {:#x}, which is not aligned to {}", instruction, address,
         alignment);
  }
  if (address < kDynamicSharedBegin || address + bytes > block().shared_end()) {
    fail(FaultKind::kOutOfBounds, "{} of {} bytes at shared memory + {:#x}: the block has {:#x} to {:#x}", instruction,
         bytes, address, kDynamicSharedBegin, block().shared_end());
  }
  return address;
}

}  // namespace cpbench::vgpu
