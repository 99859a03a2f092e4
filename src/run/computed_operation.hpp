// Which operation an executor computes now, for a signal's handler that must say where the process crashed.
#pragma once

#include <atomic>

#include "schedule/program.hpp"

namespace cpbench {

/// Null between operations. Where several executors of a process compute at once, as in tests, one of them.
inline std::atomic<const Label*> computed_operation = nullptr;

/// From its making to its end an operation is computed.
class Computing {
 public:
  /// `operation` must outlive it.
  explicit Computing(const Op& operation) { computed_operation = &operation.label; }
  ~Computing() { computed_operation = nullptr; }
  Computing(const Computing&) = delete;
  Computing& operator=(const Computing&) = delete;
};

}  // namespace cpbench
