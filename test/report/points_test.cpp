#include "report/points.hpp"

#include <gtest/gtest.h>

#include "expect_refused.hpp"
#include "report/report_points.hpp"

namespace cpbench {
namespace {

std::vector<PointRecord> sweep() {
  return {point_of(axes("ring", 1024), {1}), point_of(axes("ring", 512), {1}), point_of(axes("ulysses", 512), {1}),
          unmeasured_point({{"algo", "hybrid"}}, Status::kSkipped, "6 heads")};
}

std::vector<std::string> ids_of(const std::vector<PointRecord>& points) {
  std::vector<std::string> ids;
  for (const PointRecord& point : points)
    ids.push_back(point.axes["algo"].get<std::string>() + point.axes.value("seq_len", nlohmann::ordered_json()).dump());
  return ids;
}

TEST(ReportPoints, OfOneLaunchAreAsTheFileHasThem) {
  EXPECT_EQ(points_of(std::vector{launch("a", {sweep()[0]})}).at(0).axes, axes("ring", 1024));
}

TEST(ReportPoints, OfSeveralLaunchesSayWhatTellsTheseApart) {
  std::vector<Launch> launches = {launch("a", {sweep()[0]}), launch("b", {sweep()[0]})};
  launches[1].header.ranks[1].host = "node2";
  launches[1].header.ranks[1].device = "a GPU";
  launches[1].header.tool.git = "def";
  std::vector<PointRecord> points = points_of(launches);
  EXPECT_EQ(points.at(0).axes["file"], "a");
  EXPECT_EQ(points.at(0).axes["hosts"], 1);
  EXPECT_EQ(points.at(1).axes["hosts"], 2);
  EXPECT_EQ(points.at(1).axes["device"], "a CPU + a GPU");
  EXPECT_EQ(points.at(1).axes["tool"], "0.1.0 (git def)");
  EXPECT_EQ(varying_axes(points), (Lines{"tool", "device", "hosts", "file"}));
  launches[1].points[0].axes["cp_size"] = 1;  // the second rank waits
  points = points_of(launches);
  EXPECT_EQ(points.at(1).axes["hosts"], 1);
  EXPECT_EQ(points.at(1).axes["device"], "a CPU");
}

TEST(ReportPoints, AxesVaryOrAreShared) {
  EXPECT_EQ(varying_axes(sweep()), (Lines{"algo", "seq_len"}));
  EXPECT_EQ(shared_axes(sweep()), (nlohmann::ordered_json{{"shard", "zigzag"}, {"mask", "causal"}}));
  std::vector<PointRecord> points = sweep();
  points.pop_back();
  EXPECT_EQ(values_of(points, "seq_len"), (std::vector<nlohmann::ordered_json>{512, 1024}));
}

TEST(ReportPoints, AreSelectedByAxes) {
  const std::vector<PointRecord> points = sweep();
  EXPECT_EQ(selected(points, {}).size(), points.size());
  EXPECT_EQ(ids_of(selected(points, {"seq-len=512"})), (Lines{"ring512", "ulysses512"}));
  EXPECT_EQ(ids_of(selected(points, {"algo=ring,hybrid"})), (Lines{"ring1024", "ring512", "hybridnull"}));
  EXPECT_EQ(ids_of(selected(points, {"algo=ring", "seq_len=512"})), (Lines{"ring512"}));
  EXPECT_EQ(ids_of(selected(points, {"seq_len=-"})), (Lines{"hybridnull"})) << "as a table shows it";
}

TEST(ReportPoints, ListsOfDocumentsAreOneValue) {
  std::vector<PointRecord> points = sweep();
  points[0].axes["docs"] = {500, 524};
  points[1].axes["docs"] = "none";
  EXPECT_EQ(ids_of(selected(points, {"docs=500,524"})), (Lines{"ring1024"}));
  EXPECT_EQ(ids_of(selected(points, {"docs=[500,524]"})), (Lines{"ring1024"}));
}

TEST(ReportPoints, ConditionsThatNoPointMeetsAreRefused) {
  const std::vector<PointRecord> points = sweep();
  const auto refused = [&](const std::vector<std::string>& conditions, std::initializer_list<std::string_view> words) {
    expect_refused([&] { selected(points, conditions); }, words);
  };
  refused({"algo"}, {"--where algo", "AXIS=VALUE"});
  refused({"=ring"}, {"--where", "\"\""});
  refused({"algo,shard=ring"}, {"--where algo,shard=ring", "AXIS=VALUE"});
  refused({"seq_lem=512"}, {"--where", "\"seq_lem\"", "did you mean \"seq_len\"", "those that vary: algo, seq_len"});
  refused({"seq_len=512,2048"}, {"seq_len \"2048\"", "there are -, 512, 1024"});
  refused({"algo=ring,"}, {"algo \"\"", "ring, ulysses, hybrid"});
  refused({"algo=ulysses", "seq_len=1024"}, {"--where algo=ulysses --where seq_len=1024"});
}

TEST(ReportPoints, NotesNameWhatWasNotMeasured) {
  std::vector<PointRecord> points = sweep();
  points[0].timing.reset();
  points[3].axes["file"] = "a.json";
  EXPECT_EQ(caveats_of(points),
            (Lines{points[0].id + ": not measured", points[3].id + " in a.json: skipped: 6 heads"}));
}

}  // namespace
}  // namespace cpbench
