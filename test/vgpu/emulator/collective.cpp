#include "collective.hpp"

#include <cstring>

#include "block.hpp"
#include "fault_message.hpp"

namespace cpbench::vgpu {

void meet(const char* instruction, void* argument, void (*act)(Warp& warp, const LaneArguments& arguments)) {
  Thread& thread = running_thread();
  Warp& warp = block().warp_of(thread);
  for (int lane = 0; lane < 32; ++lane) {
    if (block().lane(warp, lane).state == Thread::State::kDone) {
      fail(FaultKind::kMissedCollective, "{} needs all lanes of warp {}, and lane {} has exited", instruction,
           warp.index, lane);
    }
  }
  if (warp.arrived > 0 && std::strcmp(warp.instruction, instruction) != 0) {
    fail(FaultKind::kMissedCollective, "lane {} is at {}, and {} other lanes of warp {} wait for it at {}", thread.lane,
         instruction, warp.arrived, warp.index, warp.instruction);
  }
  warp.instruction = instruction;
  warp.arguments[static_cast<std::size_t>(thread.lane)] = argument;
  if (++warp.arrived < 32) {
    suspend(instruction);
    return;
  }
  warp.arrived = 0;
  act(warp, warp.arguments);
  for (int lane = 0; lane < 32; ++lane) {
    if (lane != thread.lane) wake(block().lane(warp, lane));
  }
}

}  // namespace cpbench::vgpu
