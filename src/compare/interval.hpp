// By how much times differ, and how far that can be trusted.
#pragma once

#include <cstddef>
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
  std::optional<Interval> interval;  ///< empty where there are too few times for the confidence
};

// Both are the estimator of Hodges and Lehmann with the interval that its rank test allows (Hollander, Wolfe and
// Chicken, Nonparametric Statistical Methods, sections 3.3 and 4.3), of logarithms, as changes are ratios. Unlike a
// bootstrap's, these intervals have at least their confidence however few the times are: whatever the distribution of
// times is (of pairs: whatever symmetric one), and without random numbers. Times and ratios are positive, and there is
// at least one of each; 0 < confidence < 1.

/// The median of all ratios of a time of head to one of base; the interval is that of Mann and Whitney's test.
Change change_between(std::span<const double> base, std::span<const double> head, double confidence);

/// The median of all geometric means of two of the ratios, each with itself too; that of Wilcoxon's signed-rank test.
Change change_of_pairs(std::span<const double> ratios, double confidence);

/// The confidence beyond which there is no interval for so many times.
double best_confidence_between(std::size_t base, std::size_t head);
double best_confidence_of_pairs(std::size_t pairs);

/// How probable each value of the tests' statistics is, from 0 on, if nothing has changed: of the number of pairs in
/// which head is the greater, and of the sum of the ranks of ratios above 1.
std::vector<double> mann_whitney_distribution(std::size_t base, std::size_t head);
std::vector<double> signed_rank_distribution(std::size_t pairs);

}  // namespace cpbench
