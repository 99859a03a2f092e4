// Records of `doctor`, compared as results are.
#include <gtest/gtest.h>

#include "compare/comparison.hpp"
#include "compare/launches.hpp"
#include "compare/report.hpp"
#include "expect_refused.hpp"
#include "result/doctor_records.hpp"

namespace cpbench {
namespace {

class Records : public testing::Test {
 protected:
  std::vector<Launch> four(const std::string& side, const DoctorRecord& record) const {
    return read_launches(records_.write_four(side, record), LaunchOf::kDoctor);
  }
  DoctorRecords records_;
  const std::vector<Launch> base_ = four("base", sample_record());
};

const PointComparison& figure_in(const Comparison& comparison, std::string_view name, std::string_view unit) {
  return *std::ranges::find_if(comparison.points, [&](const PointComparison& point) {
    return point.axes["figure"] == name && point.axes["unit"] == unit;
  });
}

TEST_F(Records, AreSlowerByTheTimeThatAsMuchTakes) {
  DoctorRecord slower = sample_record();
  for (RankPeaks& rank : slower.peaks) rank[Peak::kMemory] /= 2;  // twice the time
  slower.links->patterns[0].figures.latency_s = 2.5e-6;           // a quarter longer
  slower.links->patterns[0].figures.bytes_per_second = 16e9;      // and twice as fast
  const Comparison comparison = compare(base_, four("head", slower), {});
  const PointComparison &memory = figure_in(comparison, "memory bandwidth", "GB/s"),
                        &latency = figure_in(comparison, "inner hop", "us"),
                        &bandwidth = figure_in(comparison, "inner hop", "GB/s");
  EXPECT_NEAR(memory.full->value, 1, 1e-12);
  EXPECT_EQ(memory.outcome, Outcome::kSlower);
  EXPECT_NEAR(latency.full->value, 0.25, 1e-12);
  EXPECT_EQ(latency.outcome, Outcome::kSlower);
  EXPECT_NEAR(bandwidth.full->value, -0.5, 1e-12);
  EXPECT_EQ(bandwidth.outcome, Outcome::kFaster);
  EXPECT_EQ(comparison.count(Outcome::kSame), 10);
  EXPECT_EQ(comparison.exit_code(true), ExitCode::kRegression);
  EXPECT_EQ(compare(base_, base_, {}).exit_code(true), ExitCode::kOk);
}

TEST_F(Records, AreSlowerWhereOneRankIsWhateverTheMean) {
  DoctorRecord slower = sample_record();
  slower.peaks[0][Peak::kBf16] *= 1.5;
  slower.peaks[1][Peak::kBf16] *= 0.5;
  const Comparison comparison = compare(base_, four("head", slower), {});
  EXPECT_EQ(figure_in(comparison, "bf16", "GFLOP/s").outcome, Outcome::kSame);
  EXPECT_EQ(figure_in(comparison, "lowest bf16", "GFLOP/s").outcome, Outcome::kSlower);
}

TEST_F(Records, OfOtherHostsAndDevicesAreCompared) {
  DoctorRecord other = sample_record();
  for (RankInfo& rank : other.header.ranks) rank.host += "-new", rank.device = "another CPU";
  const std::vector<Launch> head = four("head", other);
  const Comparison comparison = compare(base_, head, {});
  EXPECT_EQ(comparison.count(Outcome::kSame), 14);
  const std::string text = table_of(comparison, base_, head);
  EXPECT_NE(text.find("# not alike, hosts: node1, node2 | node1-new, node2-new\n"), std::string::npos) << text;
}

TEST_F(Records, ByAnotherTransportAreOtherFigures) {
  DoctorRecord other = sample_record();
  other.transport = "ipc";
  const std::vector<Launch> head = four("head", other);
  const Comparison comparison = compare(base_, head, {});
  EXPECT_EQ(comparison.count(Outcome::kMissing), 4);
  EXPECT_EQ(comparison.exit_code(false), ExitCode::kBaselineMissing);
  EXPECT_EQ(compare(base_, head, {.ignored = {"transport"}}).count(Outcome::kSame), 14);
}

TEST_F(Records, OfAJobThatWasEndedLackWhatItHadNotReached) {
  DoctorRecord ended = sample_record();
  ended.links.reset();
  ended.complete = false;
  const Comparison comparison = compare(base_, four("head", ended), {});
  EXPECT_EQ(comparison.count_unreached(Outcome::kMissing), 4);
  EXPECT_EQ(comparison.count(Outcome::kSame), 10);
}

TEST_F(Records, OfLinksThatCorruptDataAreInvalid) {
  DoctorRecord corrupt = sample_record();
  corrupt.links->corruptions = {{{1, 0}, 8, 0, 1}};
  const Comparison comparison = compare(base_, four("head", corrupt), {});
  EXPECT_EQ(comparison.count(Outcome::kInvalid), 4);
  EXPECT_EQ(comparison.exit_code(false), ExitCode::kInvalid);
}

TEST_F(Records, AreNotComparedWithResults) {
  const std::vector<Launch> results = ring_launches("head", {1, 1, 1, 1});
  expect_refused([&] { compare(base_, results, {}); }, {"BASE has records of doctor, and HEAD results of run"});
  expect_refused([&] { compare(results, base_, {}); }, {"BASE has results of run, and HEAD records of doctor"});
}

TEST_F(Records, AreATableOfFigures) {
  DoctorRecord slower = sample_record();
  for (RankPeaks& rank : slower.peaks) rank[Peak::kMemory] /= 2;
  const std::vector<Launch> head = four("head", slower);
  const std::string text = table_of(compare(base_, head, {}), base_, head);
  for (const char* line : {
           "# case: ranks 2, backend cpu, ranks_per_node 2, transport mpi, message_bytes 1048576, emulate_link -\n",
           "# change: of the time that as much takes, from base to head, + is slower; low, high: its 95% interval; ",
           "# figure                  unit    launches      base      head  change     low    high verdict\n",
           "  memory bandwidth        GB/s         4:4        20        10  +100.0  +100.0  +100.0 slower\n",
           "  inner link by itself    us           4:4         2         2    +0.0    +0.0    +0.0 same\n",
           "# figures 14: 12 same, 2 slower\n# verdict: SLOWER: 2 figures\n",
       }) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
}

TEST_F(Records, AreJsonOfFigures) {
  const Json json = json_of(compare(base_, base_, {}), base_, base_, false);
  const Json& memory = json["points"][4];
  EXPECT_EQ(memory["case"], (Json{{"figure", "memory bandwidth"}, {"unit", "GB/s"}, {"ranks", 2}}));
  EXPECT_NEAR(memory["base"]["figure"].get<double>(), 20, 1e-9);
  EXPECT_FALSE(memory["base"].contains("median_s"));
  EXPECT_EQ(memory["change"]["full"]["value"], 0);
  EXPECT_EQ(memory["change"]["comm_only"], nullptr);
}

}  // namespace
}  // namespace cpbench
