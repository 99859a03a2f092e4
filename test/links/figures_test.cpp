#include "links/figures.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace cpbench {
namespace {

TEST(LinkFigures, AreThoseOfALinkThatTakesALatencyAndItsBytes) {
  const auto time = [](std::int64_t bytes) {
    const double min_s = 50e-6 + static_cast<double>(bytes) / 2e9;
    return MessageTime{bytes, min_s, 1.0};
  };
  const std::vector<MessageTime> times = {time(16 << 20), time(0), time(1 << 20)};
  const LinkFigures figures = figures_of_link(times);
  ASSERT_TRUE(figures.bytes_per_second);
  EXPECT_NEAR(*figures.bytes_per_second, 2e9, 1);
  EXPECT_NEAR(figures.latency_s, 50e-6, 1e-12);
}

TEST(LinkFigures, OfARoundTripShareItsLatency) {
  const std::vector<MessageTime> times = {{8, 100e-6, 1}, {8 + 1000, 600e-6, 1}};
  const LinkFigures figures = figures_of_link(times, 2);
  ASSERT_TRUE(figures.bytes_per_second);
  EXPECT_DOUBLE_EQ(*figures.bytes_per_second, 1000 / 500e-6);
  EXPECT_DOUBLE_EQ(figures.latency_s, 50e-6);
}

TEST(LinkFigures, ADisturbedSizeBetweenTheEndsDoesNotBendThem) {
  const std::vector<MessageTime> times = {{8, 10e-6, 1}, {65536, 5, 5}, {8 + 1'000'000, 1.01e-3, 1}};
  EXPECT_NEAR(figures_of_link(times).bytes_per_second.value(), 1e9, 1e-3);
}

TEST(LinkFigures, HaveNoBandwidthWhereNoiseIsMoreThanTheLargestMessage) {
  const std::vector<MessageTime> slower_when_small = {{8, 3e-3, 1}, {1000, 2e-3, 2}}, alone = {{8, 3e-3, 1}};
  EXPECT_FALSE(figures_of_link(slower_when_small).bytes_per_second);
  EXPECT_FALSE(figures_of_link(alone).bytes_per_second);
  EXPECT_DOUBLE_EQ(figures_of_link(alone).latency_s, 3e-3);
}

}  // namespace
}  // namespace cpbench
