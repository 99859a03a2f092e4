#include "compare/report.hpp"

#include <gtest/gtest.h>

#include "compare/launches.hpp"

namespace cpbench {
namespace {

std::string table(const std::vector<Launch>& base, const std::vector<Launch>& head) {
  return table_of(compare(base, head, {}), base, head);
}

/// The line that begins with `beginning`.
std::string line_of_text(const std::string& text, const std::string& beginning) {
  const std::size_t begin = text.starts_with(beginning) ? 0 : text.find("\n" + beginning) + 1;
  return text.substr(begin, text.find('\n', begin) - begin);
}

std::vector<std::string> words_of_line(const std::string& line) {
  std::istringstream stream(line);
  return {std::istream_iterator<std::string>(stream), {}};
}

TEST(ComparisonTable, ShowsEachPointAndTheVerdict) {
  const std::vector<Launch> base = {
      launch("base", {measured_point(ring(), {0.01, 0.01, 0.01}), measured_point(ulysses(), {1, 1, 1})})};
  std::vector<Launch> head = {launch("head", {measured_point(ring(), {0.012, 0.012, 0.012})})};
  head[0].points[0].times.compute_only = {0.6, 0.6, 0.6};
  const std::string text = table(base, head);
  EXPECT_EQ(words_of_line(line_of_text(text, "  ring")),
            (std::vector<std::string>{"ring", "2", "-", "-", "-", "-", "-", "10.000", "12.000", "+20.0", "+20.0",
                                      "+20.0", "+20.0", "+0.0", "slower"}));
  const std::vector<std::string> missing = words_of_line(line_of_text(text, "  ulysses"));
  EXPECT_EQ(std::vector(missing.end() - 4, missing.end()), (std::vector<std::string>{"missing:", "not", "in", "HEAD"}));
  EXPECT_EQ(line_of_text(text, "# points"), "# points 2: 1 slower, 1 missing");
  EXPECT_EQ(line_of_text(text, "# verdict"), "# verdict: MISSING: 1 point");
  EXPECT_EQ(line_of_text(text, "# case"), "# case: isa avx2");
}

TEST(ComparisonTable, SaysWhatWasComparedAndWhatIsNotAlike) {
  const std::vector<Launch> base = {launch("base", {measured_point(ring(), {1, 1, 1})})};
  std::vector<Launch> head(3, base[0]);
  head[1].origin.started = "2026-11-30T12:00:00Z";
  std::string text = table(base, head);
  EXPECT_EQ(line_of_text(text, "# base"),
            "# base: 1 launch of cpbench 0.1.0 (git abc), 2026-11-29T12:00:00Z, on 2 x a CPU");
  EXPECT_EQ(
      line_of_text(text, "# head"),
      "# head: 3 launches of cpbench 0.1.0 (git abc), 2026-11-29T12:00:00Z to 2026-11-30T12:00:00Z, on 2 x a CPU");
  EXPECT_EQ(text.find("not alike"), std::string::npos);
  EXPECT_NE(text.find("those of iterations"), std::string::npos) << "one launch says nothing of how launches differ";

  head[2].origin.devices = "2 x another CPU";
  text = table(std::vector(3, base[0]), head);
  EXPECT_EQ(line_of_text(text, "# not alike"), "# not alike, devices: 2 x a CPU | 2 x a CPU; 2 x another CPU");
  EXPECT_EQ(text.find("those of iterations"), std::string::npos);
}

TEST(ComparisonTable, HasAVerdictForEveryOutcome) {
  const auto verdict = [](std::vector<double> head) {
    const std::vector<Launch> base = {launch("base", {measured_point(ring(), {1, 1, 1})})};
    return line_of_text(table(base, {launch("head", {measured_point(ring(), std::move(head))})}), "# verdict");
  };
  EXPECT_EQ(verdict({1, 1, 1}), "# verdict: NOT SLOWER");
  EXPECT_EQ(verdict({2, 2, 2}), "# verdict: SLOWER: 1 point, by more than 5%");
  EXPECT_TRUE(verdict({1, 1, 2}).starts_with("# verdict: NOT SLOWER, as far as is clear; unclear: 1 point"));
}

TEST(ComparisonJson, HasEveryFigure) {
  const std::vector<Launch> base = {
      launch("base", {measured_point(ring(), {1, 1, 1}), measured_point(ulysses(), {1, 1, 1})})};
  const std::vector<Launch> head = {launch("head", {measured_point(ring(), {1.5, 1.5, 1.5})})};
  const Json json = json_of(compare(base, head, {}), base, head, false);
  const Json& point = json["points"][0];
  EXPECT_EQ(point["case"], ring());
  EXPECT_EQ(point["verdict"], "slower");
  EXPECT_DOUBLE_EQ(point["change"]["full"]["value"].get<double>(), 0.5);
  EXPECT_NEAR(point["change"]["full"]["low"].get<double>(), 0.5, 1e-8);
  EXPECT_EQ(point["base"], (Json{{"median_s", 1.0}, {"launches", 1}, {"times", 3}}));
  EXPECT_EQ(json["points"][1]["head"], nullptr);
  EXPECT_EQ(json["points"][1]["reason"], "not in HEAD");
  EXPECT_EQ(json["base"][0]["file"], "base");
  EXPECT_EQ(json["summary"]["slower"], 1);
  EXPECT_EQ(json["summary"]["missing"], 1);
  EXPECT_EQ(json["summary"]["exit_code"], 7);
}

}  // namespace
}  // namespace cpbench
