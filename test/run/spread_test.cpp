#include "run/spread.hpp"

#include <gtest/gtest.h>

namespace cpbench {
namespace {

TEST(Spread, TakesTheMeanOfTheTwoInTheMiddle) {
  const Spread spread = spread_of({4, 1, 2, 8});
  EXPECT_EQ(spread.lowest, 1);
  EXPECT_EQ(spread.median, 3);
  EXPECT_EQ(spread.highest, 8);
}

TEST(Spread, SlowRatesBeginBelowTheRule) {
  EXPECT_FALSE(slow_fraction(300 * kSlowRate + 1, 300));
  EXPECT_DOUBLE_EQ(slow_fraction(300 * kSlowRate - 1, 300).value(), 199.0 / 300);
}

}  // namespace
}  // namespace cpbench
