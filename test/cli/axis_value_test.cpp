#include "cli/axes/axis_value.hpp"

#include "expect_refused.hpp"

namespace cpbench {
namespace {

const AxisInfo& axis(std::string_view name) { return *find_axis(name); }
AxisValue text(std::string_view name, std::string_view value) {
  return value_from_text(axis(name), value, axis(name).flag());
}
AxisValue json(std::string_view name, const Json& value) { return value_from_json(axis(name), value, "/defaults"); }

TEST(Axis, NamesAreUniqueAndFound) {
  std::vector<std::string> names = axis_names();
  for (const std::string& name : names) EXPECT_EQ(find_axis(name)->name, name);
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::unique(names.begin(), names.end()), names.end());
  EXPECT_EQ(find_axis("cp-size"), nullptr);
  EXPECT_EQ(axis("head_dim_v").flag(), "--head-dim-v");
}

TEST(AxisValue, TextsBecomeTheOneSpelling) {
  EXPECT_EQ(text("seq_len", "1009"), 1009);
  EXPECT_EQ(text("mask", "window:100"), "window:100:0");
  EXPECT_EQ(text("mask", "window:100:0"), "window:100:0");
  EXPECT_EQ(text("sink", "true"), true);
  EXPECT_EQ(text("sink", "off"), false);
  EXPECT_EQ(text("overlap", "off"), "off");
  EXPECT_EQ(text("scale", "0.5"), 0.5);
  EXPECT_EQ(text("model", "llama3-8b"), "llama3-8b");
  EXPECT_EQ(text("docs", "3,4,5"), (Json{3, 4, 5}));
  EXPECT_EQ(text("docs", "7"), Json::array({7}));
  EXPECT_EQ(text("docs", "pile"), "pile");
}

TEST(AxisValue, CommaListsSweepAllButDocuments) {
  EXPECT_EQ(values_from_text(axis("cp_size"), "1,2,4", "--cp-size"), (std::vector<AxisValue>{1, 2, 4}));
  EXPECT_EQ(values_from_text(axis("mask"), "full,window:8:0", "--mask"),
            (std::vector<AxisValue>{"full", "window:8:0"}));
  EXPECT_EQ(values_from_text(axis("docs"), "1,2,4", "--docs"), (std::vector<AxisValue>{Json{1, 2, 4}}));
  expect_refused([] { values_from_text(axis("cp_size"), "1,,4", "--cp-size"); }, {"--cp-size", "empty"});
  expect_refused([] { values_from_text(axis("algo"), "ring,", "--algo"); }, {"--algo", "empty"});
}

TEST(AxisValue, UnknownWordsAreRefusedWithTheNearest) {
  for (const AxisInfo& info : all_axes()) {
    if (info.kind != AxisKind::kWord) continue;
    expect_refused([&] { value_from_text(info, "nonsense", info.flag()); }, {info.flag(), "\"nonsense\""});
  }
  expect_refused([] { text("dtype", "bf61"); }, {"--dtype", "bf61", "bf16"});
  expect_refused([] { text("algo", "rin"); }, {"--algo", "rin", "ring"});
  expect_refused([] { text("shard", "zig-zag"); }, {"--shard", "zigzag"});
  expect_refused([] { text("model", "llama3-8"); }, {"--model", "llama3-8b"});
  expect_refused([] { text("mask", "window:-3"); }, {"--mask", "-3"});
  expect_refused([] { text("overlap", "yes"); }, {"--overlap", "yes"});
  expect_refused([] { text("sink", "maybe"); }, {"--sink", "maybe"});
  expect_refused([] { text("docs", "no-such-histogram"); },
                 {"--docs", "no-such-histogram", "pile, prolong512k, prolong64k"});
  expect_refused([] { text("docs", "pil"); }, {"--docs", "did you mean \"pile\"?"});
  expect_refused([] { text("docs", "3,0,5"); }, {"--docs", "0", "out of range"});
  expect_refused([] { text("docs", ""); }, {"--docs", "empty"});
}

TEST(AxisValue, NumbersOutOfRangeAreRefused) {
  for (const AxisInfo& info : all_axes()) {
    if (info.kind != AxisKind::kInteger) continue;
    for (const std::string& value : {std::to_string(info.smallest - 1), std::to_string(info.largest + 1)}) {
      expect_refused([&] { value_from_text(info, value, info.flag()); }, {info.flag(), value});
    }
  }
  for (const char* value : {"small", "0", "nan"}) expect_refused([&] { text("scale", value); }, {"--scale", value});
}

TEST(AxisValue, JsonHasTheSameValues) {
  EXPECT_EQ(json("seq_len", 1009), text("seq_len", "1009"));
  EXPECT_EQ(json("mask", "window:100"), text("mask", "window:100"));
  EXPECT_EQ(json("sink", true), text("sink", "on"));
  EXPECT_EQ(json("overlap", "off"), text("overlap", "off"));
  EXPECT_EQ(json("overlap", false), text("overlap", "off"));
  EXPECT_EQ(json("scale", 0.5), text("scale", "0.5"));
  EXPECT_EQ(json("docs", Json{3, 4}), text("docs", "3,4"));
}

TEST(AxisValue, JsonOfTheWrongTypeIsRefusedWithTheExpectedKind) {
  expect_refused([] { json("seq_len", "1009"); }, {"/defaults", "whole number", "\"1009\""});
  expect_refused([] { json("seq_len", 1.5); }, {"/defaults", "whole number", "1.5"});
  expect_refused([] { json("seq_len", -1); }, {"/defaults", "-1", "out of range"});
  expect_refused([] { json("seq_len", 18446744073709551615u); }, {"18446744073709551615", "out of range"});
  expect_refused([] { json("seq_len", nullptr); }, {"/defaults", "null"});
  expect_refused([] { json("sink", "yes"); }, {"/defaults", "true or false"});
  expect_refused([] { json("algo", 3); }, {"/defaults", "a text", "ring, ulysses"});
  expect_refused([] { json("algo", Json{"ring"}); }, {"/defaults", "a text"});
  expect_refused([] { json("overlap", 1); }, {"/defaults", "on"});
  expect_refused([] { json("scale", "0.5"); }, {"/defaults", "positive number"});
  expect_refused([] { json("docs", Json::array()); }, {"/defaults", "list of lengths"});
  expect_refused([] { json("docs", (Json{3, "4"})); }, {"/defaults/1", "whole number", "\"4\""});
}

}  // namespace
}  // namespace cpbench
