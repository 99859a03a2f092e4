// The seam between the executor and what it executes.
#pragma once

#include <functional>

#include "backend/backend.hpp"

namespace cpbench {

/// What the executor does for an operation. This one does what the operation says; the checker's self-test plants
/// faults by deriving from it (fault_injector.hpp), so that they act in the executor that measurements use.
class Interpretation {
 public:
  virtual ~Interpretation() = default;

  /// Runs a compute operation.
  virtual void compute(OpId id, const ProgramMemory& memory, Backend& backend,
                       const std::function<void()>& poll) const {
    backend.run(memory.program->ops[static_cast<std::size_t>(id)], memory, poll);
  }
  /// Where an exchange receives into. Called once, before the first run.
  virtual const ProgramMemory& receiving_memory(OpId /*exchange*/, const ProgramMemory& memory) const { return memory; }
};

}  // namespace cpbench
