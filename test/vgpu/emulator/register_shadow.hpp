// Registers of wgmma. A kernel's registers are variables on its thread's stack; those that are given to an instruction
// by reference are seen when they are read and written.
#pragma once

#include <cstdint>
#include <vector>

#include "arena.hpp"

namespace cpbench::vgpu {

inline constexpr Zone kRegisterShadow{0x2800'0000'0000, kStacks.bytes};

/// For the four bytes of a stack at an address: how often its thread had passed wgmma.fence when it last touched them.
inline std::uint32_t& register_stamp(std::uintptr_t address) {
  return *kRegisterShadow.at<std::uint32_t>((address - kStacks.begin) & ~std::uintptr_t{3});
}

/// What a thread did with registers.
struct Registers {
  struct InFlight {
    std::uintptr_t begin, end;
    int uses;  ///< wgmma in flight that accumulate there
  };
  std::uint32_t fences = 0;  ///< passes of wgmma.fence, counted over all blocks that this stack has served
  bool fenced = false;       ///< one of them in this block
  std::vector<InFlight> in_flight;

  const InFlight* find(std::uintptr_t begin, std::uintptr_t end) const {
    for (const InFlight& use : in_flight) {
      if (begin < use.end && use.begin < end) return &use;
    }
    return nullptr;
  }
};

}  // namespace cpbench::vgpu
