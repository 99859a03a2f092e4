// The one clock of measurements.
#pragma once

#include <chrono>
#include <cstdint>

namespace cpbench {

/// Nanoseconds of the host's steady clock; comparable between the processes of a node, not between nodes
/// (run/clock_sync).
inline std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace cpbench
