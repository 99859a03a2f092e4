// Registers of wgmma. A kernel's registers are variables on its thread's stack; those that are given to an instruction
// by reference are seen when they are read and written.
#pragma once

#include <cstdint>
#include <vector>

#include "arena.hpp"

namespace cpbench::vgpu {

inline constexpr Zone kRegisterShadow{0x2800'0000'0000, kStacks.bytes};

/// For the four bytes of a stack at an address: Registers::fence of the thread that last touched them, then.
inline std::uint32_t& register_stamp(std::uintptr_t address) {
  return *kRegisterShadow.at<std::uint32_t>((address - kStacks.begin) & ~std::uintptr_t{3});
}

/// What a thread did with registers.
struct Registers {
  struct InFlight {
    std::uintptr_t begin, end;
    int uses;  ///< wgmma in flight that accumulate there or read A from there
  };
  std::uint32_t fence = 0;  ///< the number of the last wgmma.fence, of all that there ever were; 0: none in this block
  std::vector<InFlight> in_flight;

  const InFlight* find(std::uintptr_t begin, std::uintptr_t end) const {
    for (const InFlight& use : in_flight) {
      if (begin < use.end && use.begin < end) return &use;
    }
    return nullptr;
  }
};

}  // namespace cpbench::vgpu
