// Memory and events of other processes: the file behind their global memory is mapped, from /proc.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <map>

#include "emulator/arena.hpp"
#include "emulator/global_shadow.hpp"
#include "emulator/memory.hpp"
#include "runtime/event.hpp"
#include "runtime/place.hpp"
#include "runtime/status.hpp"

namespace cpbench::vgpu {
namespace {

struct Handle {
  std::uint64_t mark;
  pid_t process;
  int file, node, device;
  std::size_t offset, bytes;
  static constexpr std::uint64_t kMark = 0x6970632d76677075;
};
static_assert(sizeof(Handle) <= sizeof(cudaIpcMemHandle_t));

/// Rooms of the arena, and which process's memory is in each. Room 0 is the process's own.
class Rooms {
 public:
  /// Where the process's memory begins here, mapped if need be; 0 where that is not possible.
  std::uintptr_t open(const Handle& handle) {
    for (int room = 1; room < kRooms; ++room) {
      if (rooms_[room].users > 0 && rooms_[room].process == handle.process) return enter(room, handle.process);
    }
    for (int room = 1; room < kRooms; ++room) {
      if (rooms_[room].users == 0) return map(room, handle.file, handle.process) ? enter(room, handle.process) : 0;
    }
    return 0;
  }
  void close(std::uintptr_t address) {
    const auto room = static_cast<int>((address - kGlobalMemory.begin) / kRoomBytes);
    if (--rooms_[room].users == 0) munmap(reinterpret_cast<void*>(begin_of(room)), kRoomBytes);
  }

 private:
  struct Room {
    pid_t process;
    int users;
  };
  static std::uintptr_t begin_of(int room) { return kGlobalMemory.begin + static_cast<std::size_t>(room) * kRoomBytes; }
  static bool map(int room, int file, pid_t process) {
    const int opened = open_file(fmt::format("/proc/{}/fd/{}", process, file));
    if (opened < 0) return false;
    void* const place = reinterpret_cast<void*>(begin_of(room));
    const void* const mapped =
        mmap(place, kRoomBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE | MAP_FIXED_NOREPLACE, opened, 0);
    ::close(opened);
    return mapped == place;
  }
  static int open_file(const std::string& path) { return ::open(path.c_str(), O_RDWR | O_CLOEXEC); }
  std::uintptr_t enter(int room, pid_t process) {
    rooms_[room].process = process;
    ++rooms_[room].users;
    return begin_of(room);
  }

  std::array<Room, kRooms> rooms_{};
};

Rooms rooms;
/// Opened allocations: their bytes, and how often they are open.
struct Opened {
  std::size_t bytes;
  int times;
};
std::map<std::uintptr_t, Opened> opened;

int this_device() {
  int device = 0;
  cudaGetDevice(&device);
  return device;
}

}  // namespace
}  // namespace cpbench::vgpu

using namespace cpbench::vgpu;

cudaError_t cudaIpcGetMemHandle(cudaIpcMemHandle_t* handle, void* pointer) {
  const auto place = reinterpret_cast<std::uintptr_t>(pointer);
  const auto allocation = global_memory().find(place);
  if (allocation.bytes == 0 || allocation.begin != place) return status(cudaErrorInvalidValue);
  const Handle made{Handle::kMark,   getpid(), global_memory_file(), node(), this_device(), place - kOwnMemory.begin,
                    allocation.bytes};
  std::memcpy(handle->reserved, &made, sizeof made);
  return cudaSuccess;
}

cudaError_t cudaIpcOpenMemHandle(void** pointer, cudaIpcMemHandle_t handle, unsigned) {
  if (is_to_fail("cudaIpcOpenMemHandle")) return status(cudaErrorPeerAccessUnsupported);
  Handle given;
  std::memcpy(&given, handle.reserved, sizeof given);
  // CUDA does not let a process open its own memory.
  if (given.mark != Handle::kMark || given.process == getpid()) return status(cudaErrorInvalidValue);
  if (given.node != node()) return status(cudaErrorInvalidResourceHandle);
  if (!are_peers(given.device, this_device())) return status(cudaErrorPeerAccessUnsupported);
  map_arena();
  const std::uintptr_t room = rooms.open(given);
  if (room == 0) return status(cudaErrorInvalidResourceHandle);
  const std::uintptr_t place = room + given.offset;
  if (opened[place].times++ == 0) {
    opened[place].bytes = given.bytes;
    global_shadow().allocate(place, given.bytes, true);
    ++openers_of(place);
  }
  *pointer = reinterpret_cast<void*>(place);
  return cudaSuccess;
}

cudaError_t cudaIpcCloseMemHandle(void* pointer) {
  const auto place = reinterpret_cast<std::uintptr_t>(pointer);
  const auto found = opened.find(place);
  if (found == opened.end()) return status(cudaErrorInvalidValue);
  cudaDeviceSynchronize();
  if (--found->second.times == 0) {
    global_shadow().release(place, found->second.bytes);
    --openers_of(place);
    opened.erase(found);
  }
  rooms.close(place);
  return cudaSuccess;
}

cudaError_t cudaIpcGetEventHandle(cudaIpcEventHandle_t* handle, cudaEvent_t event) {
  if (event->shared == nullptr) return status(cudaErrorInvalidResourceHandle);
  cudaIpcMemHandle_t memory;
  const cudaError_t result = cudaIpcGetMemHandle(&memory, event->shared);
  std::memcpy(handle->reserved, memory.reserved, sizeof memory.reserved);
  return result;
}

cudaError_t cudaIpcOpenEventHandle(cudaEvent_t* event, cudaIpcEventHandle_t handle) {
  cudaIpcMemHandle_t memory;
  std::memcpy(memory.reserved, handle.reserved, sizeof memory.reserved);
  void* pointer = nullptr;
  const cudaError_t result = cudaIpcOpenMemHandle(&pointer, memory, 0);
  if (result != cudaSuccess) return result;
  *event = new CUevent_st;
  (*event)->shared = static_cast<SharedEvent*>(pointer);
  (*event)->opened = true;
  (*event)->has_time = false;
  return cudaSuccess;
}
