// Allocations of global memory.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace cpbench::vgpu {

class GlobalMemory {
 public:
  /// Zeroed by nobody: reading before writing is a fault. Aligned to 256 and with unallocated bytes around it. Null
  /// where the memory is exhausted.
  /// Host memory counts as written, for nobody sees the host write.
  void* allocate(std::size_t bytes, bool is_host_memory = false);
  /// False where nothing begins there.
  bool release(void* pointer);
  /// Of the allocation that an address is in; all zero where there is none.
  struct Allocation {
    std::uintptr_t begin;
    std::size_t bytes;
    bool is_host_memory;
  };
  Allocation find(std::uintptr_t address) const;
  bool is_host_memory(std::uintptr_t address) const { return find(address).is_host_memory; }
  std::size_t allocated_bytes() const { return allocated_bytes_; }
  std::string describe(std::uintptr_t address) const;

 private:
  /// Addresses are not used again before all have been, so that what was freed stays out of bounds for long.
  std::uintptr_t next_ = 0;
  std::map<std::uintptr_t, Allocation> allocations_;
  std::size_t allocated_bytes_ = 0;
};

GlobalMemory& global_memory();

/// How many other processes have the allocation open that begins at `place`, in whichever room; it lies in the gap
/// before the allocation.
inline std::atomic<std::uint64_t>& openers_of(std::uintptr_t place) {
  return *reinterpret_cast<std::atomic<std::uint64_t>*>(place - sizeof(std::uint64_t));
}

}  // namespace cpbench::vgpu
