#include "compare/interval.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <random>

namespace cpbench {
namespace {

/// What the statistic is for every way to choose a subset of 0 ... count - 1, by value.
std::vector<double> by_enumeration(int count, std::size_t values, const std::function<int(unsigned)>& statistic) {
  std::vector<double> frequency(values);
  double all = 0;
  for (unsigned subset = 0; subset < 1U << count; ++subset) {
    const int value = statistic(subset);
    if (value >= 0) ++frequency[static_cast<std::size_t>(value)], ++all;
  }
  for (double& share : frequency) share /= all;
  return frequency;
}

void expect_near(const std::vector<double>& found, const std::vector<double>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-15) << i;
}

TEST(Interval, MannWhitneyIsThatOfAllOrders) {
  for (int base = 1; base <= 6; ++base) {
    for (int head = 1; head <= 5; ++head) {
      // Which places of the sorted times are head's.
      const auto pairs_won = [&](unsigned places) {
        int won = 0, bases = 0;
        for (int place = 0; place < base + head; ++place) (places >> place & 1) != 0 ? won += bases : ++bases;
        return bases == base ? won : -1;
      };
      expect_near(mann_whitney_distribution(base, head), by_enumeration(base + head, base * head + 1, pairs_won));
    }
  }
}

TEST(Interval, SignedRanksAreThoseOfAllSigns) {
  for (int pairs = 1; pairs <= 10; ++pairs) {
    const auto rank_sum = [&](unsigned positive) {
      int sum = 0;
      for (int i = 0; i < pairs; ++i) sum += (positive >> i & 1) != 0 ? i + 1 : 0;
      return sum;
    };
    expect_near(signed_rank_distribution(pairs), by_enumeration(pairs, pairs * (pairs + 1) / 2 + 1, rank_sum));
  }
}

TEST(Interval, DistributionsOfManyTimesKeepTheirPrecision) {
  for (const auto& distribution : {mann_whitney_distribution(60, 60), signed_rank_distribution(100)}) {
    EXPECT_NEAR(std::accumulate(distribution.begin(), distribution.end(), 0.0), 1, 1e-12);
    for (std::size_t i = 0; i < distribution.size(); ++i) {
      EXPECT_GE(distribution[i], -1e-18);
      EXPECT_NEAR(distribution[i], distribution[distribution.size() - 1 - i], 1e-12);
    }
  }
}

TEST(Interval, ChangeIsTheMedianOfAllRatios) {
  EXPECT_NEAR(change_between(std::vector{1.0}, std::vector{1.5}, 0.95).value, 0.5, 1e-12);
  // Ratios 1/2, 1, 1, 2, 2, 4.
  EXPECT_NEAR(change_between(std::vector{1.0, 2.0}, std::vector{1.0, 2.0, 4.0}, 0.5).value, std::sqrt(2.0) - 1, 1e-12);
  EXPECT_NEAR(change_of_pairs(std::vector{1.1}, 0.95).value, 0.1, 1e-12);
  // Means 1.1, 1.1, 1.1, twice sqrt(1.1 * 9), and 9.
  EXPECT_NEAR(change_of_pairs(std::vector{1.1, 9.0, 1.1}, 0.5).value, std::sqrt(1.1 * std::sqrt(9.9)) - 1, 1e-12);
}

TEST(Interval, HasTheBoundsOfTheTables) {
  // Critical values of textbooks at 95%: of 7 against 7 the 9th ratio from either end, of 5 against 5 the 3rd, of 4
  // against 4 the 1st; of 7 pairs the 3rd mean from either end, of 10 the 9th, of 6 the 1st.
  const auto times = [](int count) {
    std::vector<double> powers;  // all of their ratios and means are powers of different exponents
    for (int i = 0; i < count; ++i) powers.push_back(std::pow(1.01, std::pow(1.7, i)));
    return powers;
  };
  const auto bound = [](std::vector<double> sorted, int rank) {
    std::ranges::sort(sorted);
    return Interval{sorted[static_cast<std::size_t>(rank) - 1] - 1,
                    sorted[sorted.size() - static_cast<std::size_t>(rank)] - 1};
  };
  for (const auto& [count, rank] : {std::pair{7, 9}, {5, 3}, {4, 1}}) {
    const std::vector<double> base = times(count), head = times(count);
    std::vector<double> ratios;
    for (const double b : base) {
      for (const double h : head) ratios.push_back(h / b);
    }
    const Change change = change_between(base, head, 0.95);
    ASSERT_TRUE(change.interval) << count;
    EXPECT_NEAR(change.interval->low, bound(ratios, rank).low, 1e-9) << count;
    EXPECT_NEAR(change.interval->high, bound(ratios, rank).high, 1e-9) << count;
  }
  for (const auto& [count, rank] : {std::pair{7, 3}, {10, 9}, {6, 1}}) {
    const std::vector<double> ratios = times(count);
    std::vector<double> means;
    for (std::size_t i = 0; i < ratios.size(); ++i) {
      for (std::size_t j = i; j < ratios.size(); ++j) means.push_back(std::sqrt(ratios[i] * ratios[j]));
    }
    const Change change = change_of_pairs(ratios, 0.95);
    ASSERT_TRUE(change.interval) << count;
    EXPECT_NEAR(change.interval->low, bound(means, rank).low, 1e-9) << count;
    EXPECT_NEAR(change.interval->high, bound(means, rank).high, 1e-9) << count;
  }
}

TEST(Interval, NeedsEnoughTimesForItsConfidence) {
  const auto of = [](std::size_t base, std::size_t head, double confidence) {
    return change_between(std::vector<double>(base, 1), std::vector<double>(head, 1), confidence).interval.has_value();
  };
  EXPECT_TRUE(of(4, 4, 0.95));
  EXPECT_FALSE(of(3, 4, 0.95));
  EXPECT_FALSE(of(3, 3, 0.95));
  EXPECT_TRUE(of(3, 3, 0.9));
  EXPECT_FALSE(of(1, 1, 0.5));
  EXPECT_DOUBLE_EQ(best_confidence_between(3, 3), 0.9);
  EXPECT_DOUBLE_EQ(best_confidence_between(1, 1), 0);
  const auto of_pairs = [](std::size_t pairs, double confidence) {
    return change_of_pairs(std::vector<double>(pairs, 1), confidence).interval.has_value();
  };
  EXPECT_TRUE(of_pairs(6, 0.95));
  EXPECT_FALSE(of_pairs(5, 0.95));
  EXPECT_TRUE(of_pairs(3, 0.75));
  EXPECT_DOUBLE_EQ(best_confidence_of_pairs(5), 0.9375);
}

TEST(Interval, OfEqualTimesIsAPoint) {
  const std::vector<double> times(5, 0.25);
  const Change change = change_between(times, times, 0.95);
  EXPECT_EQ(change.value, 0);
  EXPECT_EQ(change.interval->low, 0);
  EXPECT_EQ(change.interval->high, 0);
}

/// How often of `rounds` the interval of a change by 10% holds it, of so many times a side with noise of 5%.
double share_that_holds(int times, bool paired, double confidence, int rounds) {
  std::mt19937 random(3);
  std::lognormal_distribution<double> noise(0, 0.05), drift(0, 0.3);
  int held = 0;
  for (int round = 0; round < rounds; ++round) {
    std::vector<double> base, head, ratios;
    for (int i = 0; i < times; ++i) {
      const double slowed = paired ? drift(random) : 1;
      base.push_back(slowed * noise(random));
      head.push_back(1.1 * slowed * noise(random));
      ratios.push_back(head.back() / base.back());
    }
    const Change change = paired ? change_of_pairs(ratios, confidence) : change_between(base, head, confidence);
    held += change.interval->low <= 0.1 && 0.1 <= change.interval->high;
  }
  return static_cast<double>(held) / rounds;
}

TEST(Interval, HoldsTheTruthAsOftenAsItSays) {
  constexpr int kRounds = 4000;
  constexpr double kScatter = 0.015;  // of such a share, four standard deviations
  for (const int times : {6, 7, 8, 9, 12}) {
    for (const bool paired : {false, true}) {
      for (const double confidence : {0.8, 0.95}) {
        const double share = share_that_holds(times, paired, confidence, kRounds);
        EXPECT_GT(share, confidence - kScatter) << times << (paired ? " pairs" : " a side");
        EXPECT_LT(share, confidence + 0.1) << times << (paired ? " pairs" : " a side");  // as few can be no nearer
      }
    }
  }
}

/// How often of `rounds` the interval of seven launches a side lies above a threshold of 5%, and how often it reaches
/// above, where launches scatter by 2% and every thirtieth takes a fifth longer for reasons of its own.
struct Verdicts {
  double slower, unclear;
};
Verdicts verdicts_of_seven(double true_change, bool paired, int rounds) {
  std::mt19937 random(4);
  std::normal_distribution<double> noise(1, 0.02);
  std::uniform_int_distribution<int> thirty(1, 30);
  const auto time = [&] { return noise(random) * (thirty(random) == 1 ? 1.2 : 1.0); };
  int slower = 0, unclear = 0;
  for (int round = 0; round < rounds; ++round) {
    std::vector<double> base, head, ratios;
    for (int i = 0; i < 7; ++i) {
      base.push_back(time());
      head.push_back((1 + true_change) * time());
      ratios.push_back(head.back() / base.back());
    }
    const Change change = paired ? change_of_pairs(ratios, 0.95) : change_between(base, head, 0.95);
    slower += change.interval->low > 0.05;
    unclear += change.interval->low <= 0.05 && change.interval->high > 0.05;
  }
  return {static_cast<double>(slower) / rounds, static_cast<double>(unclear) / rounds};
}

/// docs/comparing.md: what to expect of seven launches.
TEST(Interval, TellsChangesApartAsTheDocumentsSay) {
  constexpr int kRounds = 4000;
  for (const bool paired : {false, true}) {
    const Verdicts unchanged = verdicts_of_seven(0, paired, kRounds);
    EXPECT_LT(unchanged.slower, 0.002) << paired;
    EXPECT_LT(unchanged.unclear, paired ? 0.28 : 0.15) << paired;
    EXPECT_GT(verdicts_of_seven(0.1, paired, kRounds).slower, 0.7) << paired;
    EXPECT_GT(verdicts_of_seven(0.2, paired, kRounds).slower, 0.95) << paired;
    for (const double change : {0.1, 0.2}) {
      const Verdicts verdicts = verdicts_of_seven(change, paired, kRounds);
      EXPECT_GT(verdicts.slower + verdicts.unclear, 0.995) << change << " " << paired;
    }
  }
}

}  // namespace
}  // namespace cpbench
