#include "run/spread.hpp"

#include <algorithm>
#include <utility>

#include "run/timing.hpp"

namespace cpbench {

Spread spread_of(std::vector<double> values) {
  const auto [lowest, highest] = std::ranges::minmax(values);
  return {.lowest = lowest, .median = median_of(std::move(values)), .highest = highest};
}

std::optional<double> slow_fraction(double rate, double median) {
  const double fraction = rate / median;
  return fraction < kSlowRate ? std::optional(fraction) : std::nullopt;
}

}  // namespace cpbench
