// The addresses that kernels may touch: one range at a fixed place, so that a hook is one subtraction and a comparison.
//
// It holds the stacks of the kernel's threads, the shared memory of the one block that runs, and global memory. Beside
// it lies the shadow of global memory. All of it is reserved at once and costs memory only where it is used.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cpbench::vgpu {

struct Zone {
  std::uintptr_t begin;
  std::size_t bytes;

  constexpr std::uintptr_t end() const { return begin + bytes; }
  bool contains(std::uintptr_t address) const { return address - begin < bytes; }
  template <typename T = std::byte>
  T* at(std::size_t offset) const {
    return reinterpret_cast<T*>(begin + offset);
  }
};

inline constexpr int kMaxThreads = 1024;  ///< of a block
inline constexpr std::size_t kStackBytes = 128 << 10;

inline constexpr Zone kStacks{0x2000'0000'0000, kMaxThreads* kStackBytes};
inline constexpr Zone kSharedMemory{kStacks.end(), 256 << 10};
/// Global memory: this process's own, and then that of other processes, each in a room of its size.
inline constexpr std::size_t kRoomBytes = std::size_t{16} << 30;
inline constexpr int kRooms = 32;
inline constexpr Zone kGlobalMemory{kSharedMemory.end(), kRooms* kRoomBytes};
inline constexpr Zone kOwnMemory{kGlobalMemory.begin, kRoomBytes};
inline constexpr Zone kArena{kStacks.begin, kStacks.bytes + kSharedMemory.bytes + kGlobalMemory.bytes};

/// What fresh memory holds: bytes that make NaN of every type.
inline constexpr int kGarbage = 0xff;

/// The file that backs this process's own global memory, which other processes can map.
int global_memory_file();

/// Reserves everything, once.
void map_arena();

}  // namespace cpbench::vgpu
