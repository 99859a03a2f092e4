#include "run/clock_sync.hpp"

#include <gtest/gtest.h>

namespace cpbench {
namespace {

TEST(ClockSync, TrustsTheShortestRoundTrip) {
  const RoundTrip trips[] = {{0, 5'900, 2'000}, {10'000, 15'060, 10'100}, {20'000, 25'000, 21'000}};
  const ClockOffset offset = estimate_offset(trips);
  EXPECT_EQ(offset.offset_ns, 5'010);
  EXPECT_EQ(offset.residual_ns, 50);
}

TEST(ClockSync, ResidualBoundsTheErrorHoweverTheTripIsSplit) {
  constexpr std::int64_t kTrue = -300;
  for (std::int64_t there = 0; there <= 101; ++there) {
    const RoundTrip trip{1'000, 1'000 + there + kTrue, 1'101};
    const ClockOffset offset = estimate_offset({&trip, 1});
    EXPECT_LE(std::abs(offset.offset_ns - kTrue), offset.residual_ns);
  }
}

}  // namespace
}  // namespace cpbench
