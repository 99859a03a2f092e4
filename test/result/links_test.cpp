// What is said of measured links.
#include "result/links.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "result/findings.hpp"

namespace cpbench {
namespace {

PairReport pair_of(int a, int b, Link link, std::optional<double> bytes_per_second, double latency_s = 2e-6) {
  return {{a, b}, link, {bytes_per_second, latency_s}};
}

/// Two nodes of two ranks, of which 3 sends slowly to 2.
LinkReport sample_links() {
  LinkReport report{.options = {.ranks_per_node = 2, .message_bytes = 1 << 20}, .repetitions = 7};
  report.patterns = {{Link::kInner, 4, {{8, 3e-6, 3e-6}, {1 << 20, 1e-4, 2e-4}}, {12.3456e9, 3.21e-6}},
                     {Link::kOuter, 4, {{8, 5e-6, 5e-6}, {1 << 20, 1e-3, 1e-3}}, {1.5e9, 5e-6}},
                     {Link::kAllToAll, 4, {{24, 9e-6, 9e-6}}, {std::nullopt, 9e-6}}};
  report.pairs = {pair_of(0, 1, Link::kInner, 13e9), pair_of(1, 0, Link::kInner, 12e9),
                  pair_of(2, 3, Link::kInner, 12.75e9), pair_of(3, 2, Link::kInner, 5.1e9, 9e-6),
                  pair_of(0, 2, Link::kOuter, std::nullopt)};
  return report;
}

std::vector<RankInfo> ranks_on_hosts() {
  std::vector<RankInfo> ranks;
  for (int rank = 0; rank < 4; ++rank) ranks.push_back({.rank = rank, .host = rank < 2 ? "host-a" : "host-b"});
  return ranks;
}

TEST(Links, AreATable) {
  EXPECT_EQ(links_table(sample_links()),
            "# links                               median    lowest   highest    median    lowest   highest\n"
            "#                                       GB/s      GB/s      GB/s        us        us        us\n"
            "  inner hop of 4 ranks                 12.35         -         -      3.21         -         -\n"
            "  outer hop of 4 ranks                   1.5         -         -         5         -         -\n"
            "  all-to-all of 4 ranks                    -         -         -         9         -         -\n"
            "  4 inner links, each by itself        12.38       5.1        13         2         2         9\n"
            "  1 outer link, each by itself             -         -         -         2         2         2\n");
}

TEST(Links, AreWhatPlanTakes) {
  LinkReport report = sample_links();
  EXPECT_EQ(plan_flags_of(report), "--ranks-per-node 2 --links inner=12.3:3.21,outer=1.5:5");
  report.patterns.erase(report.patterns.begin() + 1);
  EXPECT_EQ(plan_flags_of(report), "--ranks-per-node 2 --links inner=12.3:3.21");
}

TEST(Links, WithoutABandwidthOrWithWrongBytesGivePlanNothing) {
  LinkReport noisy = sample_links(), corrupt = sample_links();
  noisy.patterns[1].figures.bytes_per_second.reset();
  corrupt.corruptions = {{{0, 1}, 8, 3, 1}};
  EXPECT_EQ(plan_flags_of(noisy), "");
  EXPECT_EQ(plan_flags_of(corrupt), "");
  EXPECT_EQ(plan_flags_of(LinkReport{}), "");
  EXPECT_TRUE(json_of(corrupt, "mpi").at("plan").is_null());
}

TEST(Links, FindingsNameRanksAndHosts) {
  LinkReport report = sample_links();
  report.corruptions = {{{1, 2}, 1 << 20, 4097, 3}};
  const std::vector<Finding> findings = findings_of(report, ranks_on_hosts());
  ASSERT_EQ(findings.size(), 2u);
  EXPECT_EQ(findings[0].kind, Finding::Kind::kCorruptLink);
  EXPECT_EQ(findings[0].text,
            "corrupt link: rank 1 on host-a to rank 2 on host-b: wrong bytes in 3 messages of 1.00 MiB, the first at "
            "byte 4097");
  EXPECT_EQ(findings[1].kind, Finding::Kind::kSlowLink);
  EXPECT_EQ(findings[1].text,
            "slow inner link: rank 3 on host-b to rank 2 on host-b: 5.1 GB/s, 0.41 of the median; 9 us, 4.5 times the "
            "median");
}

TEST(Links, OfManySlowOnesTheFirstAreNamedAndAllAreInTheFile) {
  LinkReport report;
  for (int i = 0; i < 15; ++i) report.pairs.push_back(pair_of(0, 1, Link::kInner, 1e9));
  for (int i = 0; i < 14; ++i) report.pairs.push_back(pair_of(1, 2, Link::kInner, 1e8));
  const std::vector<Finding> findings = findings_of(report, ranks_on_hosts());
  ASSERT_EQ(findings.size(), 11u);
  EXPECT_EQ(findings.back().text, "and 4 more slow links");
  EXPECT_EQ(json_of(report, "mpi").at("slow").size(), 14u);
}

TEST(Links, AFigureThatIsNotANumberIsNull) {
  LinkReport report = sample_links();
  report.patterns[0].figures.bytes_per_second = std::numeric_limits<double>::quiet_NaN();
  const Json json = json_of(report, "mpi");
  EXPECT_TRUE(json["patterns"][0]["bandwidth"].is_null());
  EXPECT_EQ(json["patterns"][1]["bandwidth"], 1.5);
  EXPECT_TRUE(json["pairs"][4]["bandwidth"].is_null());
  EXPECT_EQ(json["slow"], Json::parse(R"([{"from": 3, "to": 2, "bandwidth_of_median": 0.41212121212121211,
                                           "latency_of_median": 4.5}])"));
}

}  // namespace
}  // namespace cpbench
