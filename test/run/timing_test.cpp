#include "run/timing.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace cpbench {
namespace {

TEST(Timing, QuartilesInterpolateBetweenSamples) {
  const TimingSummary even = summarize({4, 1, 3, 2});
  EXPECT_DOUBLE_EQ(even.min_s, 1);
  EXPECT_DOUBLE_EQ(even.q1_s, 1.75);
  EXPECT_DOUBLE_EQ(even.median_s, 2.5);
  EXPECT_DOUBLE_EQ(even.q3_s, 3.25);
  const TimingSummary odd = summarize({10, 30, 20, 50, 40});
  EXPECT_DOUBLE_EQ(odd.q1_s, 20);
  EXPECT_DOUBLE_EQ(odd.median_s, 30);
  EXPECT_DOUBLE_EQ(odd.q3_s, 40);
}

TEST(Timing, KeepsSamplesInTheOrderMeasured) {
  EXPECT_EQ(summarize({3, 1, 2}).samples_s, (std::vector<double>{3, 1, 2}));
}

TEST(Timing, OneSampleIsEveryQuantile) {
  const TimingSummary summary = summarize({7});
  EXPECT_EQ(summary.q1_s, 7);
  EXPECT_EQ(summary.median_s, 7);
  EXPECT_EQ(summary.q3_s, 7);
  EXPECT_THROW(summarize({}), std::logic_error);
}

TEST(Median, InterpolatesBetweenTheTwoInTheMiddle) {
  EXPECT_EQ(median_of({3, 1, 2}), 2);
  EXPECT_EQ(median_of({8, 1, 4, 2}), 3);
  EXPECT_EQ(median_of({5}), 5);
}

}  // namespace
}  // namespace cpbench
