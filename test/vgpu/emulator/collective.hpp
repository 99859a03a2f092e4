// Instructions that all lanes of a warp execute together.
#pragma once

#include <array>

#include "thread.hpp"

namespace cpbench::vgpu {

using LaneArguments = std::array<void*, 32>;

/// Waits until all lanes have arrived with the same `instruction`. The last one calls `act` with the arguments of all;
/// then all go on. Nothing is ordered in memory by this alone.
void meet(const char* instruction, void* argument, void (*act)(Warp& warp, const LaneArguments& arguments));

/// `meet` for arguments of one type: act(Warp&, const std::array<T*, 32>&).
template <typename T, typename Act>
void warp_collective(const char* instruction, T& argument, Act) {
  static_assert(sizeof(Act) == 1, "the action must not capture");
  meet(instruction, &argument, [](Warp& warp, const LaneArguments& arguments) {
    std::array<T*, 32> lanes;
    for (int i = 0; i < 32; ++i) lanes[i] = static_cast<T*>(arguments[i]);
    Act{}(warp, lanes);
  });
}

}  // namespace cpbench::vgpu
