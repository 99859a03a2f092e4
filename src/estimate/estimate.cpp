#include "estimate/estimate.hpp"

#include <algorithm>

#include "estimate/simulation.hpp"

namespace cpbench {

Estimate estimate(const Schedule& schedule, const MachineModel& machine) {
  const std::vector<RankTime> full = simulate(schedule, machine);
  const std::vector<RankTime> comm_only = simulate(without_compute(schedule), machine);
  Estimate result;
  for (std::size_t rank = 0; rank < full.size(); ++rank) {
    // Without communication nothing keeps a rank from computing all the time.
    const TimeEstimate& of_rank = result.of_rank.emplace_back(TimeEstimate{.full_s = full[rank].finished_s,
                                                                           .compute_only_s = full[rank].computing_s,
                                                                           .comm_only_s = comm_only[rank].finished_s});
    TimeEstimate& slowest = result.slowest;
    slowest.full_s = std::max(slowest.full_s, of_rank.full_s);
    slowest.compute_only_s = std::max(slowest.compute_only_s, of_rank.compute_only_s);
    slowest.comm_only_s = std::max(slowest.comm_only_s, of_rank.comm_only_s);
  }
  return result;
}

}  // namespace cpbench
