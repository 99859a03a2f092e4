// What the compiler calls before each load and store of a kernel: the functions of the thread sanitizer, which kernels
// are compiled for and not linked with.
#include <dlfcn.h>
#include <link.h>

#include <cstring>
#include <vector>

#include "block.hpp"
#include "fault_message.hpp"
#include "global_shadow.hpp"

namespace cpbench::vgpu {
namespace {

/// Where loaded programs and libraries keep their constants and variables.
struct Range {
  std::uintptr_t begin, end;
};
std::vector<Range> loaded_ranges() {
  std::vector<Range> ranges;
  dl_iterate_phdr(
      [](dl_phdr_info* module, std::size_t, void* data) {
        for (int i = 0; i < module->dlpi_phnum; ++i) {
          const auto& segment = module->dlpi_phdr[i];
          if (segment.p_type != PT_LOAD) continue;
          const std::uintptr_t begin = module->dlpi_addr + segment.p_vaddr;
          static_cast<std::vector<Range>*>(data)->push_back({begin, begin + segment.p_memsz});
        }
        return 0;
      },
      &ranges);
  return ranges;
}

/// Outside of the arena a kernel may touch its arguments and what is loaded with the program, but no other host memory.
void check_foreign(std::uintptr_t address) {
  static Range last{};
  if (address - last.begin < last.end - last.begin) return;
  const KernelCall& call = *block().call();
  const auto arguments = reinterpret_cast<std::uintptr_t>(&call);
  if (address - arguments < call.bytes()) return;
  for (const Range& range : loaded_ranges()) {
    if (address < range.begin || address >= range.end) continue;
    last = range;
    return;
  }
  fail(FaultKind::kOutOfBounds, "a kernel touches the host's memory at {:#x}", address);
}

void touch_stack(Thread& thread, std::uintptr_t address, std::size_t bytes) {
  if ((address - kStacks.begin) / kStackBytes != static_cast<std::size_t>(thread.index)) {
    fail(FaultKind::kOutOfBounds, "local memory of another thread, at {:#x}", address);
  }
  if (!thread.registers.in_flight.empty() && thread.registers.find(address, address + bytes) != nullptr) {
    fail(FaultKind::kRegister, "a register is touched while a wgmma that uses it is in flight");
  }
  for (std::uintptr_t word = address & ~std::uintptr_t{3}; word < address + bytes; word += 4) {
    register_stamp(word) = thread.registers.fence;
  }
}

enum class Access { kRead, kWrite };

template <Access kAccess>
inline void touch(const void* pointer, std::size_t bytes) {
  Thread* const thread = scheduler().running();
  if (thread == nullptr || bytes == 0) return;  // host code
  const auto address = reinterpret_cast<std::uintptr_t>(pointer);
  if (!kArena.contains(address)) return check_foreign(address);
  if (address < kStacks.end()) return touch_stack(*thread, address, bytes);
  const ThreadKnowledge knowledge = block().knowledge_of(*thread);
  if (address < kSharedMemory.end()) {
    const std::size_t offset = address - kSharedMemory.begin;
    if (offset + bytes > block().shared_end()) shared_offset(static_cast<std::uint32_t>(offset), bytes, 1, "an access");
    if constexpr (kAccess == Access::kRead) {
      block().shadow.read(offset, bytes, thread->epoch, knowledge);
    } else {
      block().shadow.write(offset, bytes, thread->epoch, knowledge);
    }
  } else if constexpr (kAccess == Access::kRead) {
    global_shadow().read(address, bytes, thread->epoch, knowledge);
  } else {
    global_shadow().write(address, bytes, thread->epoch, knowledge);
  }
}

/// Ordinary accesses must be aligned to their size.
template <Access kAccess, std::size_t kBytes>
inline void touch_aligned(const void* pointer) {
  const auto address = reinterpret_cast<std::uintptr_t>(pointer);
  if (address % kBytes != 0 && scheduler().running() != nullptr && kArena.contains(address) &&
      address >= kStacks.end()) {
    fail(FaultKind::kMisuse, "an access of {} bytes at {}, which is not aligned", kBytes, describe_address(pointer));
  }
  touch<kAccess>(pointer, kBytes);
}

}  // namespace
}  // namespace cpbench::vgpu

using cpbench::vgpu::Access;
using cpbench::vgpu::touch;
using cpbench::vgpu::touch_aligned;

// NOLINTBEGIN(readability-identifier-naming): the compiler's names
#define CPBENCH_HOOKS(bytes)                                                               \
  void __tsan_read##bytes(void* p) { touch_aligned<Access::kRead, bytes>(p); }             \
  void __tsan_write##bytes(void* p) { touch_aligned<Access::kWrite, bytes>(p); }           \
  void __tsan_unaligned_read##bytes(void* p) { touch_aligned<Access::kRead, bytes>(p); }   \
  void __tsan_unaligned_write##bytes(void* p) { touch_aligned<Access::kWrite, bytes>(p); } \
  void __tsan_volatile_read##bytes(void* p) { touch_aligned<Access::kRead, bytes>(p); }    \
  void __tsan_volatile_write##bytes(void* p) { touch_aligned<Access::kWrite, bytes>(p); }

extern "C" {
CPBENCH_HOOKS(1)
CPBENCH_HOOKS(2)
CPBENCH_HOOKS(4)
CPBENCH_HOOKS(8)
CPBENCH_HOOKS(16)
void __tsan_read_range(void* p, unsigned long bytes) { touch<Access::kRead>(p, bytes); }
void __tsan_write_range(void* p, unsigned long bytes) { touch<Access::kWrite>(p, bytes); }
void __tsan_vptr_read(void** p) { touch<Access::kRead>(p, sizeof *p); }
void __tsan_vptr_update(void** p, void*) { touch<Access::kWrite>(p, sizeof *p); }
void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}

// Host code beside a kernel: shared pointers, and the guards of static variables.
unsigned char __tsan_atomic8_load(const volatile unsigned char* p, int) { return __atomic_load_n(p, __ATOMIC_SEQ_CST); }
unsigned __tsan_atomic32_fetch_add(volatile unsigned* p, unsigned value, int) {
  return __atomic_fetch_add(p, value, __ATOMIC_SEQ_CST);
}

// Kernels are compiled with these instead of memcpy, memmove and memset, whose accesses no hook would see.
void* cpbench_vgpu_memcpy(void* to, const void* from, std::size_t bytes) {
  touch<Access::kRead>(from, bytes);
  touch<Access::kWrite>(to, bytes);
  return std::memcpy(to, from, bytes);
}
void* cpbench_vgpu_memmove(void* to, const void* from, std::size_t bytes) {
  touch<Access::kRead>(from, bytes);
  touch<Access::kWrite>(to, bytes);
  return std::memmove(to, from, bytes);
}
void* cpbench_vgpu_memset(void* to, int value, std::size_t bytes) {
  touch<Access::kWrite>(to, bytes);
  return std::memset(to, value, bytes);
}
}
// NOLINTEND(readability-identifier-naming)
