// How long the programs of a case would take on a machine that nobody need have.
#pragma once

#include <algorithm>
#include <vector>

#include "estimate/machine_model.hpp"
#include "schedule/schedule.hpp"

namespace cpbench {

/// Seconds of one iteration. The three are what `run` measures (docs/results-format.md): the programs as they are,
/// without their communication, and without their compute.
struct TimeEstimate {
  double full_s = 0, compute_only_s = 0, comm_only_s = 0;
  double exposed_s() const {
    return std::max(0.0, full_s - compute_only_s);
  }  // below 0 only as far as sums are rounded
};

struct Estimate {
  std::vector<TimeEstimate> of_rank;
  TimeEstimate slowest;  ///< of each time the maximum over ranks, as in a result
};

/// Simulates the programs as simulation.hpp says. What that leaves out: time to queue or launch work, kernels that slow
/// down messages or each other, cores that ranks share, links that several ranks share, and noise. Takes about as much
/// memory as the programs.
Estimate estimate(const Schedule& schedule, const MachineModel& machine);

}  // namespace cpbench
