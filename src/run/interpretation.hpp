// The seam between the executor and what it executes.
#pragma once

#include <vector>

#include "backend/backend.hpp"

namespace cpbench {

/// What the executor does for an operation. This one does what the operation says; the checker's self-test plants
/// faults by deriving from it (fault_injector.hpp), so that they act in the executor that measurements use.
class Interpretation {
 public:
  virtual ~Interpretation() = default;

  /// What runs, one after the other, for a compute operation. Called once, before the first run.
  virtual std::vector<Computation> computations(OpId id, const ProgramMemory& memory, Backend& backend) const {
    return {backend.prepare(memory.program->ops[static_cast<std::size_t>(id)], memory)};
  }
  /// Where an exchange receives into. Called once, before the first run.
  virtual const ProgramMemory& receiving_memory(OpId /*exchange*/, const ProgramMemory& memory) const { return memory; }
  /// Whether an operation that a device runs waits there for another one, as its dependencies say.
  virtual bool waits_for(OpId /*id*/, OpId /*before*/) const { return true; }
};

}  // namespace cpbench
