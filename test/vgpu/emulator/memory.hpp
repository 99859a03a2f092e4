// Allocations of global memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace cpbench::vgpu {

class GlobalMemory {
 public:
  /// Zeroed by nobody: reading before writing is a fault. Aligned to 256 and with unallocated bytes around it. Null
  /// where the memory is exhausted.
  void* allocate(std::size_t bytes);
  /// False where nothing begins there.
  bool release(void* pointer);
  /// Of the allocation that an address is in; {0, 0} where there is none.
  struct Allocation {
    std::uintptr_t begin;
    std::size_t bytes;
  };
  Allocation find(std::uintptr_t address) const;
  std::size_t allocated_bytes() const { return allocated_bytes_; }
  std::string describe(std::uintptr_t address) const;

 private:
  /// Addresses are not used again before all have been, so that what was freed stays out of bounds for long.
  std::uintptr_t next_ = 0;
  std::map<std::uintptr_t, std::size_t> allocations_;
  std::size_t allocated_bytes_ = 0;
};

GlobalMemory& global_memory();

}  // namespace cpbench::vgpu
