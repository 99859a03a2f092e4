#include "compare/report.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "compare/launches.hpp"

namespace cpbench {
namespace {

std::string table(const std::vector<Launch>& base, const std::vector<Launch>& head,
                  const CompareOptions& options = {}) {
  return table_of(compare(base, head, options), base, head);
}

/// The line that begins with `beginning`; empty if there is none.
std::string line_of_text(const std::string& text, const std::string& beginning) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(beginning)) return line;
  }
  return "";
}

std::vector<std::string> words_of_line(const std::string& line) {
  std::istringstream stream(line);
  return {std::istream_iterator<std::string>(stream), {}};
}

/// Four launches a side of the ring, 10 ms and from 11 to 13, whose compute takes twice and communication half as long
/// in head; base has a point more.
struct Example {
  std::vector<Launch> base, head;
  Example() {
    for (int i = 0; i < 4; ++i) {
      base.push_back(launch("base", {measured_point(ring(), 0.01, 0.01, 0.02), measured_point(ulysses(), 1)}, i));
      const double times[] = {0.011, 0.012, 0.012, 0.013};
      head.push_back(launch("head", {measured_point(ring(), times[i], 0.02, 0.01)}, i));
    }
  }
};

TEST(ComparisonTable, ShowsEachPointAndTheVerdict) {
  const Example example;
  const std::string text = table(example.base, example.head);
  EXPECT_EQ(words_of_line(line_of_text(text, "  ring")),
            (std::vector<std::string>{"ring", "2", "-", "-", "-", "-", "-", "4:4", "10.000", "12.000", "+20.0", "+10.0",
                                      "+30.0", "+100.0", "-50.0", "slower"}));
  const std::vector<std::string> missing = words_of_line(line_of_text(text, "  ulysses"));
  EXPECT_EQ(std::vector(missing.end() - 4, missing.end()), (std::vector<std::string>{"missing:", "not", "in", "HEAD"}));
  EXPECT_EQ(line_of_text(text, "# points"), "# points 2: 1 slower, 1 missing");
  EXPECT_EQ(line_of_text(text, "# verdict"), "# verdict: MISSING: 1 point; SLOWER: 1 point");
  EXPECT_EQ(line_of_text(text, "# case"), "# case: isa avx2");
  EXPECT_NE(text.find("  change     low    high   compute    comm verdict\n"), std::string::npos) << text;
}

TEST(ComparisonTable, SaysWhereTheTimeOfSlowerPointsWent) {
  const auto cause = [](const PointRecord& before, const PointRecord& after) {
    std::vector<Launch> base, head;
    for (int i = 0; i < 4; ++i) base.push_back(launch("base", {before}, i)), head.push_back(launch("head", {after}, i));
    return line_of_text(table(base, head), "# slower");
  };
  PointRecord before = measured_point(ring(), 0.2, 0.1), after = measured_point(ring(), 0.3076, 0.1004);
  after.id = "3-ring-cp2";
  EXPECT_EQ(cause(before, after), "# slower 3-ring-cp2: +107.6 ms: compute alone +0.4, communication exposed +107.2");
  EXPECT_EQ(
      cause(measured_point(ring(), 0.0002, 0.0001), measured_point(ring(), 0.00025, 0.00009)),
      "# slower " + measured_point(ring(), 1).id + ": +0.050 ms: compute alone -0.010, communication exposed +0.060");
  EXPECT_EQ(cause(after, before), "") << "faster";
  before.timing->compute_only = summarize({0, 0, 0});
  EXPECT_EQ(cause(before, after), "") << "no figure";
  after.comm->bytes_sent_per_rank = 0;
  EXPECT_EQ(cause(measured_point(ring(), 0.2, 0.1), after), "") << "no communication";
}

TEST(ComparisonTable, SaysByWhatItJudges) {
  const Example example;
  EXPECT_EQ(line_of_text(table(example.base, example.head), "# change"),
            "# change: from base to head, + is slower; low, high: its 95% interval; slower: by more than 5%");
  const std::string text =
      table(example.base, example.head, {.threshold = 0.07, .confidence = 0.8, .ignored = {"isa"}, .paired = true});
  EXPECT_EQ(
      line_of_text(text, "# change"),
      "# change: from base to head, of pairs of launches, + is slower; low, high: its 80% interval; slower: by more "
      "than 7%");
  EXPECT_EQ(line_of_text(text, "# ignored"), "# ignored: isa");
  EXPECT_EQ(line_of_text(text, "# note"), "");
}

TEST(ComparisonTable, SaysHowManyLaunchesItTakes) {
  const Example example;
  const auto two = [](const std::vector<Launch>& launches) {
    return std::vector(launches.begin(), launches.begin() + 2);
  };
  const std::string text = table(two(example.base), two(example.head));
  EXPECT_EQ(line_of_text(text, "# note"), "# note: an interval of 95% needs 4 launches per side, or 6 pairs");
  EXPECT_EQ(line_of_text(text, "# verdict"), "# verdict: MISSING: 1 point; NOT JUDGED (too few launches): 1 point");
}

TEST(ComparisonTable, SaysWhatWasComparedAndWhatIsNotAlike) {
  const Example example;
  const std::string line =
      "4 launches of cpbench 0.1.0 (git abc), 2026-11-29T12:00:00Z to 2026-11-29T12:03:00Z, on 2 x a CPU";
  std::string text = table(example.base, example.head);
  EXPECT_EQ(line_of_text(text, "# base"), "# base: " + line);
  EXPECT_EQ(line_of_text(text, "# head"), "# head: " + line);
  EXPECT_EQ(line_of_text(text, "# not alike"), "");
  EXPECT_EQ(line_of_text(table({example.base[0]}, example.head), "# base"),
            "# base: 1 launch of cpbench 0.1.0 (git abc), 2026-11-29T12:00:00Z, on 2 x a CPU");

  const auto not_alike = [](auto&& change) {
    Example changed;
    change(changed.head[2].header);
    return line_of_text(table(changed.base, changed.head), "# not alike");
  };
  EXPECT_EQ(not_alike([](Header& header) { header.ranks[1].device = "a GPU"; }),
            "# not alike, devices: 2 x a CPU | 1 x a CPU, 1 x a GPU; 2 x a CPU");
  EXPECT_EQ(not_alike([](Header& header) { header.ranks[1].host = "node2"; }),
            "# not alike, hosts: node1 | node1; node1, node2");
  EXPECT_EQ(not_alike([](Header& header) { header.ranks[1].cpus = "2"; }), "# not alike, CPUs: 0-1 | 0-1; 0-1, 2");
  EXPECT_EQ(not_alike([](Header& header) { header.environment.mpi = "~other"; }),
            "# not alike, MPI: Open MPI v4.1.4 | Open MPI v4.1.4; ~other");
  EXPECT_EQ(not_alike([](Header& header) { header.tool.build.type = "Test"; }),
            "# not alike, build: Release GNU 12.2.0 -O3 | Release GNU 12.2.0 -O3; Test GNU 12.2.0 -O3");
  EXPECT_EQ(not_alike([](Header& header) { header.environment.variables.clear(); }),
            "# not alike, variables: OMP_NUM_THREADS=1 | ; OMP_NUM_THREADS=1");
  EXPECT_EQ(line_of_text(table(example.base, example.base), "# note"), "# note: BASE and HEAD have a launch in common");
}

TEST(ComparisonTable, NamesAxesThatOneSideDoesNotKnow) {
  Example example;
  for (Launch& launch : example.head) launch.points[0].axes["kv_parts"] = 1;
  const std::string text = table(example.base, example.head);
  EXPECT_EQ(line_of_text(text, "# note"), "# note: only one side knows of kv_parts");
  EXPECT_EQ(words_of_line(line_of_text(text, "  ring")).back(), "slower");
}

TEST(ComparisonTable, SaysWhichLaunchesDidNotFinish) {
  const Example example;
  std::vector<Launch> cut = example.head;
  cut[1].finished = false;
  cut[1].path = "head/1.jsonl";
  EXPECT_EQ(line_of_text(table(example.base, cut), "# note"),
            "# note: 1 launch of HEAD did not finish (head/1.jsonl): what it had not reached is unknown");
  cut[3].finished = false;
  const std::vector<Launch> same = ring_launches("head", {0.01, 0.01, 0.01, 0.01});
  for (Launch& launch : cut) launch.points = {measured_point(ring(), 0.01)};
  std::vector<Launch> more = same;
  for (Launch& launch : more) launch.points.push_back(measured_point(ulysses(), 1));
  const std::string text = table(cut, more);
  EXPECT_EQ(line_of_text(text, "# note"),
            "# note: 2 launches of BASE did not finish (head/1.jsonl, ...): what they had not reached is unknown");
  EXPECT_EQ(line_of_text(text, "# verdict"), "# verdict: not reached by BASE: 1 point");
  const Json json = json_of(compare(cut, more, {}), cut, more, true);
  EXPECT_EQ(json["base"][0]["finished"], true);
  EXPECT_EQ(json["base"][1]["finished"], false);
  EXPECT_EQ(json["summary"]["exit_code"], 6);
}

TEST(ComparisonTable, HasAVerdictForEveryOutcome) {
  const auto verdict = [](const std::vector<double>& head) {
    const std::vector<double> base = {1, 1, 1, 1};
    return line_of_text(table(ring_launches("base", base), ring_launches("head", head)), "# verdict");
  };
  EXPECT_EQ(verdict({1, 1, 1, 1}), "# verdict: NOT SLOWER");
  EXPECT_EQ(verdict({2, 2, 2, 2}), "# verdict: SLOWER: 1 point");
  EXPECT_EQ(verdict({1, 1, 1, 2}), "# verdict: unclear: 1 point");
  std::vector<Launch> wrong = ring_launches("head", {1, 1, 1, 1});
  wrong[0].points.push_back(unmeasured_point(ulysses(), Status::kInvalid, "dq"));
  wrong[0].points.push_back(unmeasured_point({{"algo", "hybrid"}}, Status::kSkipped, "heads"));
  const std::string text = table(ring_launches("base", {1, 1, 1, 1}), wrong);
  EXPECT_EQ(line_of_text(text, "# verdict"), "# verdict: INVALID: 1 point");
  EXPECT_EQ(line_of_text(text, "# points"), "# points 2: 1 same, 1 invalid; measured on neither side: 1");
}

TEST(ComparisonJson, HasEveryFigure) {
  const Example example;
  const CompareOptions options = {.threshold = 0.07, .confidence = 0.9, .paired = false};
  const Json json = json_of(compare(example.base, example.head, options), example.base, example.head, false);
  EXPECT_EQ(json["threshold"], 0.07);
  EXPECT_EQ(json["confidence"], 0.9);
  EXPECT_EQ(json["paired"], false);
  const Json& point = json["points"][0];
  EXPECT_EQ(point["case"], ring());
  EXPECT_EQ(point["verdict"], "slower");
  EXPECT_NEAR(point["change"]["full"]["value"].get<double>(), 0.2, 1e-12);
  EXPECT_NEAR(point["change"]["full"]["low"].get<double>(), 0.1, 1e-12);
  EXPECT_NEAR(point["change"]["full"]["high"].get<double>(), 0.3, 1e-12);
  EXPECT_NEAR(point["change"]["compute_only"]["value"].get<double>(), 1, 1e-12);
  EXPECT_NEAR(point["change"]["comm_only"]["value"].get<double>(), -0.5, 1e-12);
  EXPECT_EQ(point["base"], (Json{{"median_s", 0.01}, {"launches", 4}}));
  EXPECT_EQ(json["points"][1]["head"], nullptr);
  EXPECT_EQ(json["points"][1]["reason"], "not in HEAD");
  EXPECT_EQ(json["base"][0]["file"], "base");
  EXPECT_EQ(json["base"][3]["started"], "2026-11-29T12:03:00Z");
  EXPECT_EQ(json["summary"]["slower"], 1);
  EXPECT_EQ(json["summary"]["missing"], 1);
  EXPECT_EQ(json["summary"]["exit_code"], 7);
}

TEST(ComparisonJson, HasTheExitCodeOfStrict) {
  const std::vector<Launch> base = ring_launches("base", {1, 1, 1, 1}), head = ring_launches("head", {1, 1, 1, 2});
  const Comparison comparison = compare(base, head, {});
  EXPECT_EQ(json_of(comparison, base, head, false)["summary"]["exit_code"], 0);
  EXPECT_EQ(json_of(comparison, base, head, true)["summary"]["exit_code"], 6);
}

}  // namespace
}  // namespace cpbench
