#include "result/launch.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>

#include "expect_refused.hpp"
#include "result/json.hpp"
#include "result/origin.hpp"
#include "result/plan.hpp"
#include "result/sample_result.hpp"
#include "temporary_file.hpp"

namespace cpbench {
namespace {

namespace fs = std::filesystem;

class LaunchTest : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text) const {
    const fs::path path = directory_.path() / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path;
  }
  /// A result file as `run` writes it, with a point of every status, changed by `edit`.
  std::string write_result(
      const std::string& name, const std::function<void(Json&)>& edit = [](Json&) {}) const {
    Json json = json_of(sample_result());
    edit(json);
    return write(name, text_of(json, 2));
  }
  TemporaryDirectory directory_;
};

TEST_F(LaunchTest, HasWhatTheFileHas) {
  const std::vector<Launch> launches = read_launches(write_result("out.json"));
  ASSERT_EQ(launches.size(), 1u);
  const ResultFile file = sample_result();
  ASSERT_EQ(launches[0].points.size(), file.points.size());
  for (std::size_t i = 0; i < file.points.size(); ++i) {  // as they were written, but for what is left in the file
    PointRecord expected = file.points[i];
    expected.steps.clear();
    expected.devices.clear();
    Json json = json_of(expected);
    if (json.contains("validation")) json["validation"]["tensors"] = Json::object();
    if (expected.timing) json["timing"] = json_of(launches[0].points[i])["timing"];
    EXPECT_EQ(json_of(launches[0].points[i]), json);
  }
  EXPECT_EQ(json_of(launches[0].header), json_of(file.header));
  const PointRecord& ok = launches[0].points[0];
  EXPECT_EQ(ok.timing->full.samples_s, sample_timing().full.samples_s);
  EXPECT_EQ(ok.timing->compute_only.samples_s, sample_timing().compute_only.samples_s);
  EXPECT_EQ(ok.timing->comm_only.samples_s, sample_timing().comm_only.samples_s);
  EXPECT_TRUE(ok.sends());
  EXPECT_TRUE(ok.is_measured());
  for (std::size_t i = 1; i < file.points.size(); ++i) {  // an invalid one has times, but no speed
    EXPECT_FALSE(launches[0].points[i].is_measured()) << i;
  }
  const Origin origin = origin_of(launches[0].header);
  EXPECT_EQ(origin.devices, "1 x a CPU, 1 x a GPU");
  EXPECT_EQ(origin.hosts, "node1, node2");
  EXPECT_EQ(origin.cpus, "0-3,8, 4");
  EXPECT_EQ(origin.mpi, sample_result().header.environment.mpi);
}

TEST_F(LaunchTest, OfAKilledJobHasItsFinishedPoints) {
  const ResultFile file = sample_result();
  const std::string lines = text_of(json_of(file.header)) + "\n\n" + text_of(json_of(file.points[0])) + "\n" +
                            text_of(json_of(file.points[1])).substr(0, 100);
  const std::vector<Launch> launches = read_launches(write("out.jsonl", lines));
  ASSERT_EQ(launches.at(0).points.size(), 1u);
  EXPECT_EQ(launches[0].points[0].id, "hybrid-1");
  EXPECT_FALSE(launches[0].finished);
}

TEST_F(LaunchTest, IsFinishedIfItsResultIsThere) {
  const std::string line = text_of(json_of(sample_result().header)) + "\n";
  fs::create_directory(directory_.path() / "out");  // as where `out.jsonl` is of one program and `out` of another
  const std::string result = write_result("out.json"), lines = write("out.jsonl", line),
                    others = write("out.dat.jsonl", line);
  EXPECT_TRUE(read_launches(result).at(0).finished);
  EXPECT_TRUE(read_launches(lines).at(0).finished);
  EXPECT_FALSE(read_launches(others).at(0).finished);
  write("out.dat", "");
  EXPECT_TRUE(read_launches(others).at(0).finished);
  fs::remove(result);
  EXPECT_FALSE(read_launches(lines).at(0).finished);
}

TEST_F(LaunchTest, SaysWhatItIsOf) {
  const std::string path = write_result("out.json", [](Json& json) {
    json["tool"] = {{"version", "1.2.3"},
                    {"git", "abc"},
                    {"dirty", true},
                    {"build", {{"type", "Debug"}, {"compiler", "GNU 1"}, {"flags", "-O0"}}}};
    json["environment"]["variables"] = {{"A", "1"}, {"SLURM_JOB_ID", "77"}, {"B", "2"}};
    json["command"]["started"] = "2026-11-29T12:00:00Z";
    json["points"][1]["reason"] = "two\nlines";
  });
  const Launch launch = read_launches(path).at(0);
  const Origin origin = origin_of(launch.header);
  EXPECT_EQ(origin.tool, "1.2.3 (git abc, dirty)");
  EXPECT_EQ(origin.build, "Debug GNU 1 -O0");
  EXPECT_EQ(origin.variables, "A=1 B=2");
  EXPECT_EQ(launch.header.command.started, "2026-11-29T12:00:00Z");
  EXPECT_EQ(launch.points[1].reason, "two lines");
}

TEST_F(LaunchTest, OfValidateIsNotMeasured) {
  const std::string path = write_result("out.json", [](Json& json) { json["points"][0].erase("timing"); });
  const PointRecord point = read_launches(path).at(0).points.at(0);
  EXPECT_EQ(point.status, Status::kOk);
  EXPECT_FALSE(point.is_measured());
}

TEST_F(LaunchTest, ListsAndDirectoriesAreManyLaunches) {
  const auto started = [](const char* when) { return [when](Json& json) { json["command"]["started"] = when; }; };
  const std::string two = write_result("runs/2.json", started("2")), one = write_result("runs/1.json", started("1")),
                    other = write_result("other.json", started("3"));
  write("runs/1.jsonl", "the lines of a job stand beside its result");
  write("runs/trace.json", R"({"traceEvents": []})");
  write("runs/comparison.json", R"({"schema": {"name": "cpbench.comparison", "version": 1}})");
  write("runs/plan.json", R"({"schema": {"name": "cpbench.plan", "version": 1}})");
  write("runs/other.json", "{}");
  write("runs/list.json", "[1, 2]");
  write("runs/other.jsonl", "[1]\n{\"cut");
  const std::string left = write("runs/3.jsonl", text_of(json_of(sample_result().header)) + "\n");
  const std::vector<Launch> launches = read_launches((directory_.path() / "runs").string() + "," + other);
  std::vector<std::string> paths;
  for (const Launch& launch : launches) paths.push_back(launch.path);
  EXPECT_EQ(paths, (std::vector{one, two, left, other}));
  EXPECT_TRUE(launches[2].points.empty()) << "a job that was killed before its first point";
}

TEST_F(LaunchTest, OfACopyCountsOnce) {
  const auto timed = [](double time) {
    return [time](Json& json) {
      json["command"]["started"] = "2026-11-29T12:00:00Z";
      json["points"][0]["timing"]["full"]["samples_s"][0] = time;
    };
  };
  const std::string one = write_result("1.json", timed(0.25)), copy = write_result("2.json", timed(0.25)),
                    another = write_result("3.json", timed(0.5));
  expect_refused([&] { read_launches(one + "," + copy); }, {one, copy, "same launch"});
  expect_refused([&] { read_launches(one + "," + one); }, {"same launch"});
  EXPECT_EQ(read_launches(one + "," + another).size(), 2u);
}

TEST_F(LaunchTest, ThatMeasuredNothingMayStartInTheSameSecond) {
  const auto measured_nothing = [](Json& json) {
    for (Json& point : json["points"]) point["status"] = "failed";
  };
  const std::string one = write_result("1.json", measured_nothing), two = write_result("2.json", measured_nothing);
  EXPECT_EQ(read_launches(one + "," + two).size(), 2u);
}

TEST_F(LaunchTest, WhatIsNotThereIsMissing) {
  const std::string nowhere = directory_.path() / "nowhere.json";
  expect_refused([&] { read_launches(nowhere); }, {nowhere, "no such"}, ExitCode::kBaselineMissing);
  fs::create_directory(directory_.path() / "empty");
  expect_refused([&] { read_launches(directory_.path() / "empty"); }, {"no .json or .jsonl"},
                 ExitCode::kBaselineMissing);
  write("empty/trace.json", R"({"traceEvents": []})");
  expect_refused([&] { read_launches(directory_.path() / "empty"); }, {"no result file"}, ExitCode::kBaselineMissing);
  expect_refused([&] { read_launches(write_result("a.json") + ","); }, {"empty"});
  expect_refused([&] { read_launches(std::string(5000, 'x')); }, {"too long"});
}

TEST_F(LaunchTest, WhatIsNoResultIsRefused) {
  const auto refused = [&](const std::string& path, std::string_view why) {
    expect_refused([&] { read_launches(path); }, {path, why});
  };
  refused(write("empty.jsonl", ""), "has no whole line");
  refused(write("list.jsonl", "[1]\n[2]\n"), "is no result file of cpbench");
  refused(write("list.json", "[1, 2]"), "is no result file of cpbench");
  refused(write("config.json", R"({"schema_version": 1})"), "is no result file of cpbench");
  refused(write("named.json", R"({"schema": "cpbench.result"})"), "is no result file of cpbench");
  refused(write("trace.json", R"({"traceEvents": []})"), "is a trace, not results of run");
  refused(write("plan.json", R"({"schema": {"name": "cpbench.plan", "version": 1}})"), "is a plan, not results of run");
  refused(write("comparison.json", R"({"schema": {"name": "cpbench.comparison", "version": 1}})"),
          "is a comparison, not results of run");
  refused(write("doctor.json", R"({"schema": {"name": "cpbench.doctor", "version": 1}})"),
          "is a record of doctor, not results of run");
  const std::string later = write_result("later/1.json", [](Json& json) { json["schema"]["version"] = 9; });
  refused(later, "is of version 9, and this program reads version 1");
  expect_refused([&] { read_launches(directory_.path() / "later"); }, {later, "is of version 9"});
  refused(write_result("untimed.json", [](Json& json) { json["points"][0]["timing"].erase("full"); }), "full");
  refused(write_result("null.json", [](Json& json) { json["points"][0]["timing"]["full"]["samples_s"][0] = nullptr; }),
          "number");
  refused(write_result("zero.json", [](Json& json) { json["points"][0]["timing"]["full"]["samples_s"][0] = 0; }),
          "time of 0");
  refused(write_result("negative.json", [](Json& json) { json["points"][0]["timing"]["full"]["samples_s"][0] = -1; }),
          "no times");
  refused(
      write_result("none.json", [](Json& json) { json["points"][0]["timing"]["full"]["samples_s"] = Json::array(); }),
      "no times");
  refused(write_result("case.json", [](Json& json) { json["points"][0]["case"] = {1}; }), "case is not an object");
  refused(write_result("ranks.json", [](Json& json) { json.erase("ranks"); }),
          "cannot be read as a result file: key 'ranks' not found");
}

TEST_F(LaunchTest, PlansStandForOnesWhereTheyMay) {
  const PlanFile plan{
      .tool = this_tool(),
      .command = {.argv = {"cpbench"}, .started = "2026-11-29T12:00:00Z"},
      .backend = "cpu",
      .points = {{.id = "0-ring", .axes = {{"algo", "ring"}}, .status = Status::kSkipped, .reason = "why"}}};
  const auto plans_at = [](const std::string& place) { return read_launches(place, LaunchOf::kPlan); };
  const std::string path = write("plans/plan.json", text_of(json_of(plan)));
  const Launch launch = plans_at(path).at(0);
  EXPECT_EQ(launch.of, LaunchOf::kPlan);
  EXPECT_EQ(launch.started(), "2026-11-29T12:00:00Z");
  EXPECT_EQ(launch.points.at(0).id, "0-ring");
  const std::string result = write_result("out.json");
  EXPECT_EQ(plans_at(result).at(0).of, LaunchOf::kRun);
  expect_refused([&] { plans_at(result + "," + path); }, {path, "is a plan, not results of run"});
  EXPECT_EQ(plans_at(directory_.path() / "plans").at(0).points.at(0).id, "0-ring");
  EXPECT_EQ(plans_at(directory_.path()).at(0).of, LaunchOf::kRun) << "plans are passed over beside results";

  const auto refused = [&](const std::function<void(Json&)>& edit, std::string_view why) {
    Json json = json_of(plan);
    edit(json);
    const std::string bad = write("bad.json", text_of(json));
    expect_refused([&] { plans_at(bad); }, {bad, why});
  };
  refused([](Json& json) { json["schema"]["version"] = 9; }, "is of version 9, and this program reads version 1");
  refused([](Json& json) { json.erase("ranks_per_node"); }, "key 'ranks_per_node' not found");
  refused([](Json& json) { json["points"][0]["case"] = 1; }, "a case is not an object");
  refused([](Json& json) { json["points"][0]["ranks"] = {{{"tokens", 1}}}; }, "key 'bytes_sent' not found");
}

TEST_F(LaunchTest, WhatIsCutShortIsRefusedWithTheLine) {
  const auto refused = [&](const std::string& path, const std::string& why) {
    for (const std::string& place : {path, fs::path(path).parent_path().string()}) {
      expect_refused([&] { read_launches(place); }, {path, " is cut short or not JSON (line " + why});
    }
  };
  refused(write("text/text.json", "# points 5"), "1): make it again");
  refused(write("empty/empty.json", ""), "1): make it again");
  refused(write("lines/middle.jsonl", text_of(json_of(sample_result().header)) + "\n\n{\"id\n{}\n"),
          "3): make it again");
  const std::string lines = write("both/out.jsonl", "");
  refused(write("both/out.json", "{\n\"schema\": {"), "2): make it again, or give " + lines);
}

}  // namespace
}  // namespace cpbench
