#include "links/outliers.hpp"

#include <gtest/gtest.h>

namespace cpbench {
namespace {

PairReport pair_of(int a, int b, Link link, std::optional<double> bytes_per_second, double latency_s = 1e-6) {
  return {{a, b}, link, {bytes_per_second, latency_s}};
}

TEST(SlowLinks, AreThoseFarFromTheMedianOfTheirKind) {
  const std::vector<PairReport> pairs = {pair_of(0, 1, Link::kInner, 100), pair_of(1, 0, Link::kInner, 101),
                                         pair_of(2, 3, Link::kInner, 99),  pair_of(3, 2, Link::kInner, 40),
                                         pair_of(0, 2, Link::kOuter, 10),  pair_of(2, 0, Link::kOuter, 10.5),
                                         pair_of(1, 3, Link::kOuter, 9.5)};
  const std::vector<SlowLink> slow = slow_links(pairs);
  ASSERT_EQ(slow.size(), 1u) << "outer links are slower than inner ones, and no outliers";
  EXPECT_EQ(slow[0].of.pair, (Pair{3, 2}));
  ASSERT_TRUE(slow[0].bandwidth_of_median);
  EXPECT_DOUBLE_EQ(*slow[0].bandwidth_of_median, 40 / 99.5);
  EXPECT_FALSE(slow[0].latency_of_median);
}

TEST(SlowLinks, BeginBeyondTheRule) {
  const auto found = [](double bandwidth, double latency) {
    return slow_links(std::vector<PairReport>{pair_of(0, 1, Link::kInner, 300, 10),
                                              pair_of(1, 0, Link::kInner, 300, 10),
                                              pair_of(0, 2, Link::kInner, bandwidth, latency)})
        .size();
  };
  EXPECT_EQ(found(300 * kSlowRate + 1, 10 * kSlowLatency - 1), 0u);
  EXPECT_EQ(found(300 * kSlowRate - 1, 10), 1u);
  EXPECT_EQ(found(300, 10 * kSlowLatency + 1), 1u);
}

TEST(SlowLinks, TheSlowestComeFirst) {
  const std::vector<SlowLink> slow = slow_links(std::vector<PairReport>{
      pair_of(0, 1, Link::kInner, 100), pair_of(1, 0, Link::kInner, 100), pair_of(0, 2, Link::kInner, 100),
      pair_of(2, 0, Link::kInner, 100), pair_of(0, 3, Link::kInner, 100, 9e-6), pair_of(3, 0, Link::kInner, 50),
      pair_of(1, 3, Link::kInner, 10)});
  ASSERT_EQ(slow.size(), 3u);
  EXPECT_EQ(slow[0].of.pair, (Pair{1, 3}));
  EXPECT_EQ(slow[1].of.pair, (Pair{3, 0}));
  EXPECT_EQ(slow[2].of.pair, (Pair{0, 3}));
  EXPECT_DOUBLE_EQ(slow[2].latency_of_median.value(), 9);
}

TEST(SlowLinks, ABandwidthThatIsNotKnownIsNotJudged) {
  const std::vector<PairReport> some = {pair_of(0, 1, Link::kInner, 100), pair_of(1, 0, Link::kInner, std::nullopt),
                                        pair_of(0, 2, Link::kInner, 100)};
  const std::vector<PairReport> none = {pair_of(0, 1, Link::kInner, std::nullopt)};
  EXPECT_TRUE(slow_links(some).empty());
  EXPECT_TRUE(slow_links(none).empty());
  EXPECT_FALSE(spread_of_links(none, Link::kInner)->bytes_per_second);
  EXPECT_FALSE(spread_of_links(none, Link::kOuter));
}

}  // namespace
}  // namespace cpbench
