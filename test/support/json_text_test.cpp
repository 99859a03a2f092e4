#include "support/json_text.hpp"

#include <gtest/gtest.h>

#include "expect_refused.hpp"

namespace cpbench {
namespace {

using Json = nlohmann::json;

TEST(JsonText, MayHaveComments) { EXPECT_EQ(parse_json<Json>("{\"a\": 1}  // one", "a.json"), (Json{{"a", 1}})); }

TEST(JsonText, IsRefusedWithItsLineAndWithoutTheLibrary) {
  const auto message = [](std::string_view text) {
    try {
      parse_json<Json>(text, "a.json");
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(
      message("{\n\"a\": 1,\n}\n"),
      "a.json:3: not valid JSON: syntax error while parsing object key - unexpected '}'; expected string literal");
  EXPECT_TRUE(message("{\n\"a\"").starts_with("a.json:2: not valid JSON: syntax error")) << message("{\n\"a\"");
  EXPECT_TRUE(message("").starts_with("a.json:1: not valid JSON: ")) << message("");
  EXPECT_EQ(message("1e999"), "a.json: not valid JSON: number overflow parsing '1e999'");
}

TEST(JsonText, CountsLinesFromOne) {
  EXPECT_EQ(line_at("a\nb", 0), 1u);
  EXPECT_EQ(line_at("a\nb", 2), 1u) << "the end of a line is in it";
  EXPECT_EQ(line_at("a\nb", 3), 2u);
  EXPECT_EQ(line_at("a\nb", 99), 2u);
}

}  // namespace
}  // namespace cpbench
