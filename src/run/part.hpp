// Forward, backward, or both.
#pragma once

#include <cstdint>

#include "schedule/program.hpp"

namespace cpbench {

/// Which operations a run takes: dependencies on others count as done. The backward pass alone needs what an earlier
/// forward pass left in the buffers.
enum class Part : std::uint8_t { kAll, kForward, kBackward };
inline constexpr int kParts = 3;

inline bool belongs_to(const Op& op, Part part) {
  return part == Part::kAll || op.backward == (part == Part::kBackward);
}

}  // namespace cpbench
