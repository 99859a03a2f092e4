#include "cli/config/config_file.hpp"

#include "expect_refused.hpp"
#include "specs.hpp"
#include "temporary_file.hpp"

namespace cpbench {
namespace {

Sweep parse(std::string_view text) { return parse_config(text, "sweep.json"); }

void expect_text_refused(std::string_view text, std::initializer_list<std::string_view> parts) {
  expect_refused([&] { parse(text); }, parts);
}

TEST(ConfigFile, ReadsAllItsParts) {
  const Sweep sweep = parse(R"({
    "schema_version": 1,  // a comment
    "length_scale": 0.5,
    "defaults": {"seq_len": 1000, "sink": true},
    "matrix": {"algo": ["ring", "ulysses"], "docs": ["none", [600, 400]]},
    "include": [{"cp_size": 8}],
    "exclude": [{"algo": "ulysses", "sink": true}]
  })");
  EXPECT_EQ(sweep.defaults, spec_of({{"seq_len", "500"}, {"sink", "on"}}));
  EXPECT_EQ(sweep.matrix[Axis::kAlgo], (std::vector<AxisValue>{"ring", "ulysses"}));
  EXPECT_EQ(sweep.matrix[Axis::kDocs], (std::vector<AxisValue>{"none", Json{300, 200}}));
  EXPECT_EQ(sweep.include, std::vector<PointSpec>{spec_of({{"cp_size", "8"}})});
  EXPECT_EQ(sweep.exclude, (std::vector<PointSpec>{spec_of({{"algo", "ulysses"}, {"sink", "on"}})}));
}

TEST(ConfigFile, TheCommandLinesScaleReplacesTheFiles) {
  const auto text = R"({"schema_version": 1, "length_scale": 0.5, "defaults": {"seq_len": 1000}})";
  EXPECT_EQ(parse_config(text, "sweep.json", 0.25).defaults.at(Axis::kSeqLen), 250);
  EXPECT_EQ(parse_config(text, "sweep.json").defaults.at(Axis::kSeqLen), 500);
}

TEST(ConfigFile, UnknownKeysAreRefusedWithPointerAndNearestKey) {
  expect_text_refused(R"({"schema_version": 1, "default": {}})", {"sweep.json", "/default", "\"defaults\""});
  expect_text_refused(R"({"schema_version": 1, "defaults": {"seqlen": 1}})", {"/defaults/seqlen", "\"seq_len\""});
  expect_text_refused(R"({"schema_version": 1, "matrix": {"cp-size": [1]}})", {"/matrix/cp-size", "\"cp_size\""});
  expect_text_refused(R"({"schema_version": 1, "include": [{}, {"algos": "ring"}]})", {"/include/1/algos", "\"algo\""});
  expect_text_refused(R"({"schema_version": 1, "exclude": [{"batches": 1}]})", {"/exclude/0/batches", "\"batch\""});
}

TEST(ConfigFile, WrongTypesAreRefusedWithPointerAndExpectedKind) {
  expect_text_refused("[]", {"sweep.json", "an object"});
  expect_text_refused(R"({"schema_version": 1, "defaults": {"a/b~": 1}})", {"/defaults/a~1b~0"});
  expect_text_refused(R"({"schema_version": 1, "defaults": []})", {"/defaults", "an object"});
  expect_text_refused(R"({"schema_version": 1, "defaults": {"cp_size": "four"}})",
                      {"/defaults/cp_size", "whole number", "\"four\""});
  expect_text_refused(R"({"schema_version": 1, "defaults": {"sink": 1}})", {"/defaults/sink", "true or false"});
  expect_text_refused(R"({"schema_version": 1, "matrix": {"cp_size": 4}})", {"/matrix/cp_size", "a list", "4"});
  expect_text_refused(R"({"schema_version": 1, "matrix": {"cp_size": []}})",
                      {"/matrix/cp_size: the list of values is empty"});
  expect_text_refused(R"({"schema_version": 1, "matrix": {"cp_size": [1, 2.5]}})", {"/matrix/cp_size/1", "2.5"});
  expect_text_refused(R"({"schema_version": 1, "matrix": {"docs": [100, 200]}})",
                      {"/matrix/docs/0", "list of lengths"});
  expect_text_refused(R"({"schema_version": 1, "matrix": {"algo": ["rings"]}})", {"/matrix/algo/0", "rings", "ring"});
  expect_text_refused(R"({"schema_version": 1, "include": {}})", {"/include", "a list"});
  expect_text_refused(R"({"schema_version": 1, "include": [3]})", {"/include/0", "an object"});
  expect_text_refused(R"({"schema_version": 1, "length_scale": 0})", {"/length_scale", "positive number"});
  expect_text_refused(R"({"schema_version": 1, "defaults": {"seq_len": 99999999999999999999}})", {"/defaults/seq_len"});
}

TEST(ConfigFile, TheSchemaVersionIsRequired) {
  expect_text_refused("{}", {"schema_version", "version 1"});
  expect_text_refused(R"({"schema_version": 2})", {"/schema_version", "2"});
}

TEST(ConfigFile, AnExcludeThatCanMatchNothingIsRefused) {
  expect_text_refused(R"({"schema_version": 1, "matrix": {"cp_size": [1]}, "exclude": [{"window_size": 2}]})",
                      {"/exclude/0/window_size", "matrix or defaults"});
  expect_text_refused(R"({"schema_version": 1, "matrix": {"cp_size": [1]}, "exclude": [{}]})",
                      {"/exclude/0", "at least one"});
  expect_text_refused(
      R"({"schema_version": 1, "matrix": {"cp_size": [1, 2]}, "exclude": [{"cp_size": 2}, {"cp_size": 3}]})",
      {"/exclude/1/cp_size", "no point has the value 3"});
  expect_text_refused(R"({"schema_version": 1, "defaults": {"algo": "ring"}, "exclude": [{"algo": "ulysses"}]})",
                      {"/exclude/0/algo", "no point has the value \"ulysses\""});
}

TEST(ConfigFile, BrokenJsonIsRefusedWithItsPlace) {
  expect_text_refused("", {"sweep.json", "not valid JSON"});
  expect_text_refused("{\"schema_version\": 1,\n \"matrix\": }", {"sweep.json:2: not valid JSON: syntax error"});
  expect_text_refused(R"({"schema_version": 1, "defaults": {"batch": 1, "batch": 2}})", {"\"batch\"", "twice"});
}

/// Why the only point of the config is impossible.
void expect_point_refused(const char* text, const AxisValues& flags, std::initializer_list<std::string_view> parts) {
  expect_refused([&] { resolve_all(expand(parse_config(text, "sweep.json"), flags), {}); }, parts);
}

TEST(ConfigFile, DocumentsThatDoNotSumToTheLengthAreRefusedWithTheirPlace) {
  expect_point_refused(R"({"schema_version": 1, "defaults": {"seq_len": 3}, "include": [{"docs": [1, 3]}]})", {},
                       {"sweep.json: /include/0/docs: ", "sum to 4, but seq_len is 3"});
  expect_point_refused(R"({"schema_version": 1, "matrix": {"seq_len": [3], "docs": [[4]]}})", {},
                       {"sweep.json: /matrix/docs/0: "});
  const char* scaled = R"({"schema_version": 1, "length_scale": 2, "defaults": {"seq_len": 3, "docs": [4]}})";
  expect_point_refused(scaled, {}, {"sweep.json: /defaults/docs: ", "sum to 8, but seq_len is 6"});
  AxisValues flags;
  flags[Axis::kDocs].push_back(Json{1, 1});
  expect_point_refused(scaled, flags, {"--docs: ", "sum to 2, but seq_len is 6"});
}

TEST(ConfigFile, LengthsThatCannotBeScaledAreRefusedWithTheirPlace) {
  expect_text_refused(R"({"schema_version": 1, "length_scale": 0.1, "include": [{"docs": [15, 3, 100]}]})",
                      {"sweep.json: /include/0/docs: ", "length_scale 0.1", "3 tokens vanishes"});
  expect_text_refused(R"({"schema_version": 1, "length_scale": 0.1, "matrix": {"docs": ["none", [15, 3, 100]]}})",
                      {"sweep.json: /matrix/docs/1: ", "3 tokens vanishes"});
  expect_text_refused(R"({"schema_version": 1, "length_scale": 1e300, "defaults": {"seq_len": 1000}})",
                      {"sweep.json: /defaults/seq_len: ", "1000 becomes longer"});
}

TEST(ConfigFile, FilesThatCannotBeReadAreRefused) {
  expect_refused([] { read_config("/no/such/file.json"); }, {"/no/such/file.json"});
  expect_refused([] { read_config("/tmp"); }, {"/tmp"});
  const TemporaryFile file(R"({"schema_version": 1, "defaults": {"batch": 3}})");
  EXPECT_EQ(read_config(file.path()).defaults.at(Axis::kBatch), 3);
}

}  // namespace
}  // namespace cpbench
