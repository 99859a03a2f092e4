#include "report/sheet.hpp"

#include <gtest/gtest.h>

#include "expect_refused.hpp"

namespace cpbench {
namespace {

Sheet example() {
  return {.columns = {{"algo", "", false}, {"time_s", "s", true}},
          .rows = {{cell_of(std::string("ring")), cell_of(0.123456789)},
                   {cell_of(std::string("a|b, \"c\"")), cell_of(std::nullopt)}}};
}

TEST(Sheet, TextIsAligned) {
  EXPECT_EQ(text_of(example(), Format::kText),
            "# algo     time_s\n"
            "#               s\n"
            "  ring     0.1235\n"
            "  a|b, \"c\"      -\n");
}

TEST(Sheet, MarkdownKeepsItsBars) {
  EXPECT_EQ(text_of(example(), Format::kMarkdown),
            "| algo | time_s (s) |\n"
            "| --- | ---: |\n"
            "| ring | 0.1235 |\n"
            "| a\\|b, \"c\" | - |\n");
}

TEST(Sheet, CsvIsExactAndQuoted) {
  EXPECT_EQ(text_of(example(), Format::kCsv), "algo,time_s\nring,0.123456789\n\"a|b, \"\"c\"\"\",\n");
}

TEST(Sheet, CountsHaveAllTheirDigits) {
  EXPECT_EQ(cell_of(50331648.0).text, "50331648");
  EXPECT_EQ(cell_of(2438.00629).text, "2438");
  EXPECT_EQ(cell_of(0.1 + 0.2).exact, "0.30000000000000004");
}

TEST(Sheet, AxesAreExactForPrograms) {
  const nlohmann::ordered_json axes = {
      {"scale", 0.08838834764831843}, {"sink", true}, {"docs", {1, 2}}, {"link", nullptr}};
  EXPECT_EQ(cell_of(axes, "scale").text, "0.08839");
  EXPECT_EQ(cell_of(axes, "scale").exact, "0.08838834764831843");
  EXPECT_EQ(cell_of(axes, "sink").text, "on");
  EXPECT_EQ(cell_of(axes, "docs").exact, "[1,2]");
  for (const char* name : {"link", "algo"}) {
    EXPECT_EQ(cell_of(axes, name).text, "-");
    EXPECT_EQ(cell_of(axes, name).exact, "");
  }
}

TEST(Sheet, UnknownFormatsAreRefused) {
  EXPECT_EQ(parse_format("csv"), Format::kCsv);
  expect_refused([] { parse_format("cvs"); }, {"format \"cvs\"", "did you mean \"csv\"", "text, markdown, csv"});
}

}  // namespace
}  // namespace cpbench
