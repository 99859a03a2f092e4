#include "run/timing.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace cpbench {
namespace {

/// The value at `fraction` of the way through sorted samples, interpolated linearly between neighbours.
double quantile(const std::vector<double>& sorted, double fraction) {
  const double position = fraction * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], position - std::floor(position));
}

}  // namespace

double median_of(std::vector<double> values) {
  std::ranges::sort(values);
  return quantile(values, 0.5);
}

TimingSummary summarize(std::vector<double> samples_s) {
  if (samples_s.empty()) throw std::logic_error("summarize: no samples");
  std::vector<double> sorted = samples_s;
  std::ranges::sort(sorted);
  return {.median_s = quantile(sorted, 0.5),
          .q1_s = quantile(sorted, 0.25),
          .q3_s = quantile(sorted, 0.75),
          .min_s = sorted.front(),
          .samples_s = std::move(samples_s)};
}

}  // namespace cpbench
