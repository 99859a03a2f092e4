#include "compare/interval.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

namespace cpbench {
namespace {

/// Calls with(sample) for every sample of `draws` values that can be drawn from `values` with replacement.
template <typename With>
void for_each_resample(const std::vector<double>& values, std::size_t draws, With&& with) {
  std::vector<double> sample(draws);
  const auto choices = static_cast<std::size_t>(std::pow(values.size(), draws));
  for (std::size_t choice = 0; choice < choices; ++choice) {
    std::size_t rest = choice;
    for (double& value : sample) value = values[rest % values.size()], rest /= values.size();
    with(sample);
  }
}

/// All medians of resamples, an odd number of draws each.
std::vector<double> resampled_medians(const std::vector<double>& values) {
  std::vector<double> medians;
  for_each_resample(values, (values.size() + 1) / 2 * 2 - 1, [&](std::vector<double> sample) {
    std::ranges::sort(sample);
    medians.push_back(sample[sample.size() / 2]);
  });
  return medians;
}

TEST(Interval, WeightsOfMediansAreThoseOfAllResamples) {
  for (std::size_t count = 1; count <= 7; ++count) {
    std::vector<double> values(count);
    std::iota(values.begin(), values.end(), 0);
    const std::vector<double> medians = resampled_medians(values), weights = median_weights(count);
    ASSERT_EQ(weights.size(), count);
    for (std::size_t k = 0; k < count; ++k) {
      const auto times = static_cast<double>(std::ranges::count(medians, values[k]));
      EXPECT_NEAR(weights[k], times / static_cast<double>(medians.size()), 1e-12) << k << " of " << count;
    }
  }
}

TEST(Interval, WeightsOfManyValuesSumToOne) {
  const std::vector<double> weights = median_weights(5000);
  EXPECT_NEAR(std::accumulate(weights.begin(), weights.end(), 0.0), 1, 1e-9);
  EXPECT_NEAR(weights.front(), weights.back(), 1e-12);
  EXPECT_GE(std::ranges::min(weights), 0);
}

TEST(Interval, BoundsAreThoseOfAllPairsOfResamples) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> time(1, 2);
  for (int round = 0; round < 20; ++round) {
    std::vector<double> base(3 + round % 3), head(3 + round / 7);
    for (double& t : base) t = time(random);
    for (double& t : head) t = time(random);
    std::vector<double> ratios;
    for (const double h : resampled_medians(head)) {
      for (const double b : resampled_medians(base)) ratios.push_back(h / b);
    }
    std::ranges::sort(ratios);
    const auto quantile = [&](double p) {
      return ratios[static_cast<std::size_t>(std::ceil(p * static_cast<double>(ratios.size()) - 1e-9)) - 1];
    };
    for (const double confidence : {0.5, 0.9, 0.95, 0.99}) {
      const Change change = change_of_median(base, head, confidence);
      ASSERT_TRUE(change.interval);
      EXPECT_NEAR(change.interval->low, quantile((1 - confidence) / 2) - 1, 1e-8) << round << " " << confidence;
      EXPECT_NEAR(change.interval->high, quantile((1 + confidence) / 2) - 1, 1e-8) << round << " " << confidence;
    }
  }
}

TEST(Interval, OfEqualTimesIsAPoint) {
  const std::vector<double> times(5, 0.25);
  const Change change = change_of_median(times, times, 0.95);
  EXPECT_EQ(change.value, 0);
  EXPECT_NEAR(change.interval->low, 0, 1e-8);
  EXPECT_NEAR(change.interval->high, 0, 1e-8);
}

TEST(Interval, HoldsTheChangeOfTheMedians) {
  const Change change = change_of_median(std::vector{1.0, 1.1, 0.9}, std::vector{2.0, 2.2, 1.9}, 0.95);
  EXPECT_DOUBLE_EQ(change.value, 1);
  EXPECT_LE(change.interval->low, 1);
  EXPECT_GE(change.interval->high, 1);
}

TEST(Interval, NeedsThreeTimesOnEitherSide) {
  const std::vector<double> two = {1, 1.1}, three = {1, 1.1, 1.2};
  EXPECT_FALSE(change_of_median(two, three, 0.95).interval);
  EXPECT_FALSE(change_of_median(three, two, 0.95).interval);
  EXPECT_TRUE(change_of_median(three, three, 0.95).interval);
  EXPECT_NEAR(change_of_median(two, two, 0.95).value, 0, 1e-15);
}

TEST(Interval, GrowsWithConfidenceAndShrinksWithTimes) {
  std::mt19937 random(2);
  std::normal_distribution<double> time(1, 0.05);
  std::vector<double> base(400), head(400);
  for (double& t : base) t = time(random);
  for (double& t : head) t = time(random);
  const auto width = [&](std::size_t count, double confidence) {
    const Change change = change_of_median(std::span(base).first(count), std::span(head).first(count), confidence);
    return change.interval->high - change.interval->low;
  };
  EXPECT_LT(width(400, 0.95), 0.5 * width(25, 0.95));
  EXPECT_LT(width(100, 0.8), width(100, 0.99));
}

/// What a 95% interval promises, of 9 launches a side: to hold the true change about 19 times of 20.
TEST(Interval, HoldsTheTruthAsOftenAsItSays) {
  std::mt19937 random(3);
  std::lognormal_distribution<double> time(0, 0.1);
  constexpr int kRounds = 2000;
  int held = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<double> base(9), head(9);
    for (double& t : base) t = time(random);
    for (double& t : head) t = 1.1 * time(random);
    const Change change = change_of_median(base, head, 0.95);
    held += change.interval->low <= 0.1 && 0.1 <= change.interval->high;
  }
  EXPECT_GT(held, 0.92 * kRounds);
  EXPECT_LT(held, kRounds);
}

}  // namespace
}  // namespace cpbench
