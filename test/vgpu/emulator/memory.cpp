#include "memory.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <cstring>

#include "arena.hpp"
#include "global_shadow.hpp"

namespace cpbench::vgpu {
namespace {

constexpr std::size_t kAlignment = 256, kGap = 256;

std::size_t room_for(std::size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment + kGap; }

}  // namespace

GlobalMemory& global_memory() {
  static GlobalMemory memory;
  return memory;
}

void* GlobalMemory::allocate(std::size_t bytes, bool is_host_memory) {
  map_arena();
  const std::size_t room = room_for(bytes);
  std::uintptr_t place = next_ == 0 ? kOwnMemory.begin + kGap : next_;
  for (int passes = 0;;) {
    const auto after = allocations_.lower_bound(place);
    const std::uintptr_t end = after == allocations_.end() ? kOwnMemory.end() : after->first;
    if (place + room <= end) break;
    if (after != allocations_.end()) {
      place = after->first + room_for(after->second.bytes);
    } else if (passes++ == 0) {
      place = kOwnMemory.begin + kGap;
    } else {
      return nullptr;
    }
  }
  next_ = place + room;
  allocations_[place] = {place, bytes, is_host_memory};
  allocated_bytes_ += bytes;
  global_shadow().allocate(place, bytes, is_host_memory);
  openers_of(place) = 0;
  return std::memset(reinterpret_cast<void*>(place), kGarbage, bytes);
}

bool GlobalMemory::release(void* pointer) {
  const auto found = allocations_.find(reinterpret_cast<std::uintptr_t>(pointer));
  if (found == allocations_.end()) return false;
  const auto [place, bytes, is_host_memory] = found->second;
  global_shadow().release(place, bytes);
  allocated_bytes_ -= bytes;
  allocations_.erase(found);
  // Give whole pages back to the system.
  constexpr std::uintptr_t kPage = 4096;
  const std::uintptr_t begin = (place + kPage - 1) / kPage * kPage, end = (place + bytes) / kPage * kPage;
  if (begin < end) {
    fallocate(global_memory_file(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
              static_cast<off_t>(begin - kOwnMemory.begin), static_cast<off_t>(end - begin));
  }
  return true;
}

GlobalMemory::Allocation GlobalMemory::find(std::uintptr_t address) const {
  auto after = allocations_.upper_bound(address);
  if (after == allocations_.begin()) return {};
  --after;
  return address < after->first + after->second.bytes ? after->second : Allocation{};
}

std::string GlobalMemory::describe(std::uintptr_t address) const {
  const auto after = allocations_.upper_bound(address);
  std::string place = fmt::format("global memory {:#x}", address);
  if (after == allocations_.begin()) return place;
  const auto& [begin, bytes, is_host_memory] = std::prev(after)->second;
  return fmt::format("{} (byte {} from the begin of an allocation of {})", place, address - begin, bytes);
}

}  // namespace cpbench::vgpu
