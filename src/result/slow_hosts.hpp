// Slow ranks, host by host, in words.
#pragma once

#include <string>
#include <vector>

#include "result/record.hpp"
#include "run/rank_peaks.hpp"

namespace cpbench {

/// A line of each host that has slow ranks, the slowest first: which of its ranks, in which figures, of several ranks
/// the lowest, and what makes CPUs slow in just these.
std::vector<std::string> slow_host_lines(const std::vector<RankPeaks>& peaks, const std::vector<RankInfo>& ranks);

}  // namespace cpbench
