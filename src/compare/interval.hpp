// By how much the median of one set of times differs from that of another, and how far that can be trusted.
#pragma once

#include <optional>
#include <span>
#include <vector>

namespace cpbench {

struct Interval {
  double low, high;
};

/// Of head against base: 0.1 is 10% more.
struct Change {
  double value;
  std::optional<Interval> interval;  ///< empty with fewer than kFewestTimes times on either side
};

/// Of two times nothing can be said but that they differ.
inline constexpr std::size_t kFewestTimes = 3;

/// The probability that the median of a resample of `count` values, drawn from them with replacement, is the k-th
/// smallest of them. Exact, so that no random numbers are needed. A resample of an even number has one value less, for
/// a median that is one of the values.
std::vector<double> median_weights(std::size_t count);

/// The change of the median, with the percentile interval of its bootstrap distribution (Efron and Tibshirani, An
/// Introduction to the Bootstrap, chapter 13), both sides resampled independently. Times are positive; `confidence` is
/// between 0 and 1.
Change change_of_median(std::span<const double> base, std::span<const double> head, double confidence);

}  // namespace cpbench
