// Plants a fault in a live run: the executor, the backend and the transport are those of every measurement.
#pragma once

#include <memory>
#include <vector>

#include "run/buffer_set.hpp"
#include "run/fault.hpp"
#include "run/interpretation.hpp"

namespace cpbench {

/// Give it to the Executor of the rank whose `plant` and `memory` it has. The memory must be fresh for each run: a
/// buffer that the fault leaves stale may still hold the right data of a run before.
class FaultInjector : public Interpretation {
 public:
  FaultInjector(const Plant& plant, const ProgramMemory& memory, Backend& backend);
  FaultInjector(const FaultInjector&) = delete;
  FaultInjector& operator=(const FaultInjector&) = delete;

  std::vector<Computation> computations(OpId id, const ProgramMemory& memory, Backend& backend) const override;
  const ProgramMemory& receiving_memory(OpId exchange, const ProgramMemory& memory) const override;

 private:
  std::byte* allocate(const Buffer& buffer, Backend& backend);

  Plant plant_;
  std::vector<std::unique_ptr<DeviceMemory>> allocations_;
  ProgramMemory planted_;  ///< the rank's memory as the plant's program sees it
  ProgramMemory aside_;    ///< where a stale exchange receives into
};

}  // namespace cpbench
