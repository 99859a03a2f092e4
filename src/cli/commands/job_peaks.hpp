// What the CPUs of a job can do, measured.
#pragma once

#include <vector>

#include "run/rank_peaks.hpp"
#include "transport/communicator.hpp"

namespace cpbench {

/// Collective: by rank, on all ranks. All measure each figure at once, as they would compute at once.
std::vector<RankPeaks> measured_peaks(const Communicator& world, int threads);

}  // namespace cpbench
