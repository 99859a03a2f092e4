// How far figures of a kind lie apart, and which of them are outliers.
#pragma once

#include <optional>
#include <vector>

namespace cpbench {

/// The median interpolates between the two in the middle.
struct Spread {
  double lowest, median, highest;
};
/// Of `values`, one at least.
Spread spread_of(std::vector<double> values);

/// A rate is slow where it is less than kSlowRate of the median of its kind: of two, where it is less than half of the
/// other.
inline constexpr double kSlowRate = 2.0 / 3.0;
/// The fraction of the median that a slow rate is; nothing of one that is not slow.
std::optional<double> slow_fraction(double rate, double median);

}  // namespace cpbench
