#include "vgpu/fault.hpp"

#include "arena.hpp"
#include "block.hpp"
#include "fault_message.hpp"
#include "memory.hpp"

namespace cpbench::vgpu {

std::string_view name_of(FaultKind kind) {
  switch (kind) {
    case FaultKind::kRace:
      return "race";
    case FaultKind::kBlockRace:
      return "block-race";
    case FaultKind::kMissingEvent:
      return "missing-event";
    case FaultKind::kUninitialised:
      return "uninitialised";
    case FaultKind::kOutOfBounds:
      return "out-of-bounds";
    case FaultKind::kDeadlock:
      return "deadlock";
    case FaultKind::kMissedCollective:
      return "missed-collective";
    case FaultKind::kProxy:
      return "proxy";
    case FaultKind::kRegister:
      return "register";
    case FaultKind::kMisuse:
      break;
  }
  return "misuse";
}

void raise(FaultKind kind, std::string message) {
  Thread* const thread = scheduler().running();
  if (thread == nullptr) throw Fault(kind, fmt::format("virtual GPU: {}: {}", name_of(kind), message));
  scheduler().abort(
      Fault(kind, fmt::format("virtual GPU: {}: block {}, thread {} (warp {}, lane {}): {}", name_of(kind),
                              block().index(), thread->index, thread->warp, thread->lane, message)));
}

std::string describe_address(const void* address) {
  const auto place = reinterpret_cast<std::uintptr_t>(address);
  if (kSharedMemory.contains(place)) return fmt::format("shared memory + {:#x}", place - kSharedMemory.begin);
  if (!kGlobalMemory.contains(place)) return fmt::format("host memory at {:#x}", place);
  return global_memory().describe(place);
}

}  // namespace cpbench::vgpu
