// Which of several configurations is the fastest, and which of them are rivals at all.
#pragma once

#include <string>
#include <vector>

#include "report/configuration.hpp"

namespace cpbench {

/// The axes of what is computed, whichever way: where one of these differs, so does the work, and times are no rivals.
const std::vector<std::string>& axes_of_work();

/// It has a time, and its ranks have the memory for it.
bool is_rival(const Configuration& configuration);
double time_of(const Configuration& rival);

/// Rivals first, the fastest before the others, and of those that take the same time, as far as tables show it, the one
/// with the least communication: an estimate takes for granted that all of it is hidden where it can be. Then those
/// that need more memory than ranks have, and last, as they stood, those without a time.
void rank(std::vector<Configuration>& configurations);

/// Estimates that are closer to each other than what they are off by (docs/estimating.md) do not say which is faster.
bool are_told_apart(double fastest_s, double estimated_s);

}  // namespace cpbench
