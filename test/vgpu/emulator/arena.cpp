#include "arena.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "fault_message.hpp"
#include "global_shadow.hpp"
#include "register_shadow.hpp"

namespace cpbench::vgpu {
namespace {

void reserve(const Zone& zone, int file) {
  const int kind = file < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
  void* const place =
      mmap(zone.at(0), zone.bytes, PROT_READ | PROT_WRITE, kind | MAP_NORESERVE | MAP_FIXED_NOREPLACE, file, 0);
  if (place != zone.at(0)) {
    fail(FaultKind::kMisuse, "the virtual GPU cannot reserve its {} MiB of addresses at {:#x}: {}", zone.bytes >> 20,
         zone.begin, std::strerror(errno));
  }
  madvise(place, zone.bytes, MADV_DONTDUMP);
}

int create_global_memory_file() {
  const int file = memfd_create("cpbench-virtual-gpu", MFD_CLOEXEC);
  if (file < 0 || ftruncate(file, static_cast<off_t>(kOwnMemory.bytes)) != 0) {
    fail(FaultKind::kMisuse, "the virtual GPU cannot create its memory: {}", std::strerror(errno));
  }
  return file;
}

bool map_all() {
  reserve(kStacks, -1);
  reserve(kSharedMemory, -1);
  reserve(kOwnMemory, global_memory_file());
  reserve(kRegisterShadow, -1);
  reserve(kGlobalShadow, -1);
  // A page below each stack, so that one that grows too far is seen.
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  for (int i = 0; i < kMaxThreads; ++i)
    mprotect(kStacks.at(static_cast<std::size_t>(i) * kStackBytes), page, PROT_NONE);
  return true;
}

}  // namespace

int global_memory_file() {
  static const int kFile = create_global_memory_file();
  return kFile;
}

void map_arena() {
  static const bool kMapped = map_all();
  static_cast<void>(kMapped);
}

}  // namespace cpbench::vgpu
