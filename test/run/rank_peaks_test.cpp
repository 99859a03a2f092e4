// Which of a job's ranks are slow, by figures that are planted.
#include "run/rank_peaks.hpp"

#include <gtest/gtest.h>

#include <utility>

namespace cpbench {
namespace {

constexpr RankPeaks kUsual = {{100e9, 200e9, 20e9, 5e9, 1}};

std::vector<std::pair<int, Peak>> slow_in(const std::vector<RankPeaks>& ranks) {
  std::vector<std::pair<int, Peak>> slow;
  for (const SlowPeak& one : slow_peaks(ranks)) slow.emplace_back(one.rank, one.peak);
  return slow;
}

TEST(RankPeaks, HaveASpread) {
  std::vector<RankPeaks> ranks(4, kUsual);
  ranks[1][Peak::kFp32] = ranks[2][Peak::kFp32] = 40e9;
  ranks[3][Peak::kFp32] = 140e9;
  const auto [mean, spread, lowest_rank] = spread_of(ranks, Peak::kFp32);
  EXPECT_DOUBLE_EQ(mean, 80e9);
  EXPECT_DOUBLE_EQ(spread.lowest, 40e9);
  EXPECT_DOUBLE_EQ(spread.median, 70e9);
  EXPECT_DOUBLE_EQ(spread.highest, 140e9);
  EXPECT_EQ(lowest_rank, 1) << "the first of equals";
  EXPECT_DOUBLE_EQ(spread_of(ranks, Peak::kCpuTime).mean, 1);
}

TEST(SlowPeaks, OneRankOfMany) {
  std::vector<RankPeaks> ranks(8, kUsual);
  ranks[5][Peak::kMemory] = 9e9;
  ranks[5][Peak::kCpuTime] = 0.5;
  EXPECT_EQ(slow_in(ranks), (std::vector{std::pair(5, Peak::kMemory), std::pair(5, Peak::kCpuTime)}));
  EXPECT_DOUBLE_EQ(slow_peaks(ranks)[0].of_median, 0.45);
}

TEST(SlowPeaks, AreByRank) {
  std::vector<RankPeaks> ranks(8, kUsual);
  ranks[6][Peak::kFp32] = ranks[1][Peak::kExp2] = ranks[6][Peak::kBf16] = 1e9;
  EXPECT_EQ(slow_in(ranks),
            (std::vector{std::pair(1, Peak::kExp2), std::pair(6, Peak::kFp32), std::pair(6, Peak::kBf16)}));
}

TEST(SlowPeaks, NoneWhereAllAreAlikeHoweverSlow) {
  EXPECT_TRUE(slow_in({kUsual}).empty());
  std::vector<RankPeaks> ranks(8, kUsual);
  EXPECT_TRUE(slow_in(ranks).empty());
  for (RankPeaks& rank : ranks) rank[Peak::kCpuTime] = 0.25;
  EXPECT_TRUE(slow_in(ranks).empty());
}

TEST(SlowPeaks, AreNotNoise) {
  std::vector<RankPeaks> ranks(64, kUsual);
  for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
    for (double& figure : ranks[rank].figures) figure *= 1 - 0.01 * static_cast<double>(rank * 29 % 17);
  }
  EXPECT_TRUE(slow_in(ranks).empty());
}

TEST(SlowPeaks, OfTwoRanksAreOneThatIsNotHalfAsFast) {
  std::vector<RankPeaks> ranks(2, kUsual);
  ranks[1][Peak::kFp32] = 0.55 * kUsual[Peak::kFp32];
  EXPECT_TRUE(slow_in(ranks).empty());
  ranks[1][Peak::kFp32] = 0.45 * kUsual[Peak::kFp32];
  EXPECT_EQ(slow_in(ranks), (std::vector{std::pair(1, Peak::kFp32)}));
}

}  // namespace
}  // namespace cpbench
