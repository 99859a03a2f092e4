// A thread of the block that runs, and what the threads of a warp share.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "arena.hpp"
#include "clocks.hpp"
#include "register_shadow.hpp"

namespace cpbench::vgpu {

struct CopyAsync {
  std::uint32_t to;
  const void* from;  ///< null: zeros
  std::uint32_t group;
};

struct Thread {
  enum class State : std::uint8_t { kReady, kWaiting, kDone };

  int index = 0, warp = 0, lane = 0;
  State state = State::kReady;
  void* context = nullptr;  ///< where its fiber goes on
  std::string waits_for;    ///< while it waits

  Clock* clock = nullptr;    ///< what it knows to be done, see Actors
  Clock* visible = nullptr;  ///< of generic actors: what it knows to be visible to the asynchronous proxy
  Epoch epoch = 0;           ///< its own, now

  Registers registers;

  std::vector<CopyAsync> copies;  ///< cp.async under way
  std::uint32_t copy_group = 1;   ///< the open group; also the clock of its copies
  std::uint32_t bulk_group = 0;   ///< the open bulk group
};

struct Warp {
  int index = 0;
  // The instruction that lanes wait for each other at, see collective.hpp.
  const char* instruction = nullptr;
  int arrived = 0;
  std::array<void*, 32> arguments{};
};

}  // namespace cpbench::vgpu
