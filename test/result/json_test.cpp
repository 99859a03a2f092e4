#include "result/json.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "result/sample_result.hpp"

namespace cpbench {
namespace {

TEST(Json, WritesNumbersThatAreNotFiniteAsNull) {
  PointRecord point = sample_ok();
  point.validation->tensors[0].max_abs = std::numeric_limits<double>::quiet_NaN();
  point.validation->tensors[0].rel_l2 = std::numeric_limits<double>::infinity();
  point.timing->full.samples_s[1] = -std::numeric_limits<double>::infinity();
  point.throughput->fraction_of_peak = std::numeric_limits<double>::quiet_NaN();
  point.throughput->peak_tflops = std::nullopt;

  const Json parsed = Json::parse(text_of(json_of(point)));
  EXPECT_TRUE(parsed["validation"]["tensors"]["out"]["max_abs"].is_null());
  EXPECT_TRUE(parsed["validation"]["tensors"]["out"]["rel_l2"].is_null());
  EXPECT_EQ(parsed["timing"]["full"]["samples_s"], Json::parse("[0.010, null, 0.014]"));
  EXPECT_TRUE(parsed["throughput"]["fraction_of_peak"].is_null());
  EXPECT_TRUE(parsed["throughput"]["peak_tflops"].is_null());
  EXPECT_EQ(parsed["throughput"]["tokens_per_s"], 84083.0);
}

TEST(Json, WritesFlopsExactlyUpToTwoToThe53) {
  const int128 limit = int128{1} << 53;
  EXPECT_EQ(text_of(json_of_flops(limit)), "9007199254740992");
  EXPECT_EQ(text_of(json_of_flops(limit - 1)), "9007199254740991");
  EXPECT_TRUE(json_of_flops(limit + 2).is_number_float());
  EXPECT_EQ(json_of_flops(int128{1} << 90).get<double>(), 0x1p90);
}

TEST(Json, GivesAWrongResultNoThroughput) {
  EXPECT_TRUE(json_of(sample_ok()).contains("throughput"));
  const Json invalid = json_of(sample_invalid());
  EXPECT_FALSE(invalid.contains("throughput"));
  EXPECT_EQ(invalid["status"], "invalid");
  EXPECT_EQ(invalid["reason"], "out: worst block 0.3 above 0.005");
  EXPECT_EQ(invalid["validation"]["tensors"]["out"]["note"], "row 7 is NaN");
  EXPECT_TRUE(invalid.contains("timing"));
}

TEST(Json, LeavesOutWhatAPointDoesNotHave) {
  const Json skipped = json_of(sample_not_ok(Status::kSkipped, "why"));
  std::vector<std::string> keys;
  for (const auto& item : skipped.items()) keys.push_back(item.key());
  EXPECT_EQ(keys, (std::vector<std::string>{"id", "case", "status", "reason"}));
}

TEST(Json, SurvivesBytesThatAreNotUtf8) {
  PointRecord point = sample_not_ok(Status::kFailed, "path \xff\xfe");
  EXPECT_EQ(Json::parse(text_of(json_of(point)))["reason"], "path \xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(Json, DeviceStateComesBack) {
  const DeviceState state = sample_device_state();
  EXPECT_EQ(device_state_of(json_of(state)), state);
}

TEST(Json, FileHasHeaderPointsAndSummary) {
  const Json file = json_of(sample_result());
  EXPECT_EQ(file["schema"]["name"], "cpbench.result");
  EXPECT_EQ(file["points"].size(), 6u);
  EXPECT_EQ(file["summary"]["points"], 6);
  for (const char* status : {"ok", "invalid", "skipped", "failed", "timeout", "interrupted"}) {
    EXPECT_EQ(file["summary"][status], 1);
  }
  EXPECT_EQ(file["complete"], true);
  EXPECT_EQ(file["ranks"][1]["uuid"], "GPU-1");
  EXPECT_TRUE(file["ranks"][0]["uuid"].is_null());
  EXPECT_EQ(file["ranks"][0]["isa"], "avx2");
  EXPECT_TRUE(file["ranks"][1]["isa"].is_null());
  EXPECT_EQ(file["points"][0]["devices"][0]["throttled_by"][0], "power-cap");
  EXPECT_EQ(file["environment"]["mpi"], "Open MPI v4.1.4, package: Debian");
  EXPECT_FALSE(json_of(sample_result().header).contains("points"));
}

}  // namespace
}  // namespace cpbench
