// What is said of measured peaks.
#include "result/peaks.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "result/findings.hpp"

namespace cpbench {
namespace {

constexpr RankPeaks kUsual = {{100e9, 200e9, 20e9, 5e9, 1}};

/// Nodes of four.
std::vector<RankInfo> ranks_on_nodes(int count) {
  std::vector<RankInfo> ranks;
  for (int rank = 0; rank < count; ++rank) ranks.push_back({.rank = rank, .host = fmt::format("node{}", rank / 4)});
  return ranks;
}

std::vector<std::string> findings_in(const std::vector<RankPeaks>& peaks) {
  std::vector<std::string> texts;
  for (const Finding& finding : findings_of(peaks, ranks_on_nodes(static_cast<int>(peaks.size())))) {
    EXPECT_EQ(name_of(finding.kind), "slow-rank");
    texts.push_back(finding.text);
  }
  return texts;
}

using Texts = std::vector<std::string>;

TEST(Peaks, OfOneRankAreATableOfFigures) {
  EXPECT_EQ(peaks_table({kUsual}, ranks_on_nodes(1)),
            "  fp32 FMA             100.0 GFLOP/s\n"
            "  bf16                 200.0 GFLOP/s\n"
            "  memory bandwidth      20.0 GB/s\n"
            "  exp2                  5.00 G/s\n"
            "  CPU time             100.0 %\n");
}

TEST(Peaks, OfSeveralRanksSayWhichIsTheLowest) {
  std::vector<RankPeaks> peaks(8, kUsual);
  peaks[6][Peak::kFp32] = 60e9;
  peaks[1][Peak::kExp2] = 4e9;
  EXPECT_EQ(peaks_table(peaks, ranks_on_nodes(8)),
            "  fp32 FMA              95.0 GFLOP/s      60.0 to    100.0, the lowest of rank 6 on node1\n"
            "  bf16                 200.0 GFLOP/s     200.0 to    200.0, the lowest of rank 0 on node0\n"
            "  memory bandwidth      20.0 GB/s         20.0 to     20.0, the lowest of rank 0 on node0\n"
            "  exp2                  4.88 G/s          4.00 to     5.00, the lowest of rank 1 on node0\n"
            "  CPU time             100.0 %           100.0 to    100.0, the lowest of rank 0 on node0\n");
}

TEST(Peaks, AreJson) {
  std::vector<RankPeaks> peaks(3, kUsual);
  peaks[2][Peak::kMemory] = 11e9;
  const Json json = json_of(peaks);
  EXPECT_EQ(json["fp32_tflops"], 0.1);
  EXPECT_EQ(json["memory_bandwidth"], 17);
  EXPECT_EQ(json["exps_per_s"], 5e9);
  EXPECT_EQ(json["cpu_time"], 1);
  EXPECT_EQ(json["spread"]["memory_bandwidth"],
            (Json{{"lowest", 11.0}, {"lowest_rank", 2}, {"median", 20.0}, {"highest", 20.0}}));
  EXPECT_EQ(json["by_rank"]["memory_bandwidth"], (Json{20.0, 20.0, 11.0}));
}

TEST(SlowRanks, AreFindings) {
  std::vector<RankPeaks> peaks(8, kUsual);
  EXPECT_EQ(findings_in(peaks), Texts{});
  peaks[5][Peak::kFp32] = 51.25e9;
  peaks[5][Peak::kBf16] = 100e9;
  EXPECT_EQ(findings_in(peaks), Texts{"slow rank: rank 5 on node1: fp32 FMA 51.2 GFLOP/s, 0.51 of the median 100; "
                                      "bf16 100 GFLOP/s, 0.50 of the median 200; "
                                      "look for a throttled clock, a busy hyper-thread or another instruction set"});
}

TEST(SlowRanks, OfANodeAreOneFinding) {
  std::vector<RankPeaks> peaks(16, kUsual);
  for (const std::size_t rank : {4u, 5u, 6u, 7u}) peaks[rank][Peak::kMemory] = 10e9;
  EXPECT_EQ(findings_in(peaks),
            Texts{"slow host: all 4 ranks on node1: memory bandwidth 10 GB/s, 0.50 of the median 20; "
                  "look for missing memory channels or memory of another socket"});
  peaks[6][Peak::kCpuTime] = 0.4;
  EXPECT_EQ(findings_in(peaks),
            Texts{"slow host: all 4 ranks on node1: memory bandwidth 10 GB/s, 0.50 of the median 20; "
                  "CPU time 40 %, 0.40 of the median 100 (rank 6); "
                  "look for another process on its cores or a CPU quota; "
                  "or missing memory channels or memory of another socket"});
}

TEST(SlowRanks, AreNamedByTheHostThatTheyAreOn) {
  std::vector<RankPeaks> peaks(12, kUsual);
  peaks[1][Peak::kCpuTime] = 0.5;
  for (const std::size_t rank : {8u, 9u, 11u}) peaks[rank][Peak::kExp2] = 1e9 + 1e7 * static_cast<double>(rank);
  EXPECT_EQ(findings_in(peaks), (Texts{"slow ranks: ranks 8-9,11 on node2: exp2 1.08 G/s, 0.22 of the median 5; "
                                       "look for a throttled clock, a busy hyper-thread or another instruction set",
                                       "slow rank: rank 1 on node0: CPU time 50 %, 0.50 of the median 100; "
                                       "look for another process on its cores or a CPU quota"}))
      << "the slowest first";
}

TEST(SlowRanks, OfANodeThatAreSlowInDifferentWaysAreNoSlowHost) {
  std::vector<RankPeaks> peaks(8, kUsual);
  for (const std::size_t rank : {4u, 5u, 6u}) peaks[rank][Peak::kMemory] = 10e9;
  peaks[7][Peak::kExp2] = 3e9;
  EXPECT_EQ(findings_in(peaks), Texts{"slow ranks: ranks 4-7 on node1: "
                                      "memory bandwidth 10 GB/s, 0.50 of the median 20 (ranks 4-6); "
                                      "exp2 3 G/s, 0.60 of the median 5 (rank 7); "
                                      "look for a throttled clock, a busy hyper-thread or another instruction set; "
                                      "or missing memory channels or memory of another socket"});
}

TEST(SlowRanks, AreOnlyCountedWhereTheyAreMany) {
  std::vector<RankPeaks> peaks(120, kUsual);
  for (std::size_t rank = 0; rank < 48; ++rank) peaks[rank][Peak::kFp32] = 10e9;
  const Texts findings = findings_in(peaks);
  ASSERT_EQ(findings.size(), 11u);
  EXPECT_EQ(findings.back(), "and 2 more hosts with slow ranks");
}

}  // namespace
}  // namespace cpbench
