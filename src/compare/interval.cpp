#include "compare/interval.hpp"

#include <algorithm>
#include <boost/math/special_functions/beta.hpp>
#include <cmath>

#include "run/timing.hpp"

namespace cpbench {
namespace {

/// The median of a resample: one of `values`, the k-th with probability P(the k-th or less) - P(less).
struct MedianDistribution {
  std::vector<double> values;   ///< ascending
  std::vector<double> weights;  ///< by value
  std::vector<double> up_to;    ///< the sums of the weights of this and lesser values

  explicit MedianDistribution(std::span<const double> times)
      : values(times.begin(), times.end()), weights(median_weights(times.size())) {
    std::ranges::sort(values);
    double sum = 0;
    for (const double weight : weights) up_to.push_back(sum += weight);
  }

  double probability_up_to(double value) const {
    const auto above = std::ranges::upper_bound(values, value) - values.begin();
    return above == 0 ? 0 : up_to[static_cast<std::size_t>(above - 1)];
  }
};

/// That median of head / median of base <= ratio.
double probability_up_to(double ratio, const MedianDistribution& base, const MedianDistribution& head) {
  double sum = 0;
  for (std::size_t k = 0; k < base.values.size(); ++k) {
    sum += base.weights[k] * head.probability_up_to(ratio * base.values[k]);
  }
  return sum;
}

/// The least ratio that is not exceeded with this probability.
double quantile_of_ratio(double probability, const MedianDistribution& base, const MedianDistribution& head) {
  constexpr int kSteps = 60;              // halve any interval of doubles to less than their precision
  constexpr double kRounding = 1 + 1e-9;  // ratio * base must not fall short of the head that it was made from
  double low = head.values.front() / base.values.back(), high = head.values.back() / base.values.front();
  if (probability_up_to(low * kRounding, base, head) >= probability) return low;
  for (int step = 0; step < kSteps; ++step) {
    const double middle = std::midpoint(low, high);
    (probability_up_to(middle * kRounding, base, head) >= probability ? high : low) = middle;
  }
  return high;
}

double median(std::span<const double> times) { return summarize({times.begin(), times.end()}).median_s; }

}  // namespace

std::vector<double> median_weights(std::size_t count) {
  // The median of 2h - 1 draws is at most the k-th value if at least h draws are, each of them with probability
  // k / count: a binomial tail, which is the incomplete beta function.
  const double half = static_cast<double>((count + 1) / 2);
  std::vector<double> weights;
  double before = 0;
  for (std::size_t k = 1; k <= count; ++k) {
    const double up_to = boost::math::ibeta(half, half, static_cast<double>(k) / static_cast<double>(count));
    weights.push_back(up_to - before);
    before = up_to;
  }
  return weights;
}

Change change_of_median(std::span<const double> base, std::span<const double> head, double confidence) {
  Change change{.value = median(head) / median(base) - 1, .interval = std::nullopt};
  if (std::min(base.size(), head.size()) < kFewestTimes) return change;
  const MedianDistribution of_base(base), of_head(head);
  const double outside = (1 - confidence) / 2;
  change.interval = {.low = quantile_of_ratio(outside, of_base, of_head) - 1,
                     .high = quantile_of_ratio(1 - outside, of_base, of_head) - 1};
  return change;
}

}  // namespace cpbench
