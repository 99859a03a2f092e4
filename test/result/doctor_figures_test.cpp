// What is read of records of `doctor`.
#include "result/doctor_figures.hpp"

#include <gtest/gtest.h>

#include "expect_refused.hpp"
#include "result/doctor_records.hpp"
#include "result/launch.hpp"

namespace cpbench {
namespace {

std::vector<Launch> records_at(const std::string& places) { return read_launches(places, LaunchOf::kDoctor); }

class DoctorFigures : public testing::Test {
 protected:
  Launch read(const DoctorRecord& record) const { return records_at(records_.write("doctor.json", record)).at(0); }
  DoctorRecords records_;
};

/// `inner hop, GB/s` of one that is measured: the figure.
double figure_in(const Launch& launch, const std::string& name, const std::string& unit) {
  for (const PointRecord& figure : launch.points) {
    if (figure.axes["figure"] != name || figure.axes["unit"] != unit) continue;
    EXPECT_TRUE(figure.is_measured()) << name;
    return figure_of_time(figure.axes, figure.timing->full.median_s);
  }
  ADD_FAILURE() << name << " in " << unit << " is missing";
  return 0;
}

TEST_F(DoctorFigures, AreThoseThatWereWritten) {
  const Launch launch = read(sample_record());
  EXPECT_EQ(launch.of, LaunchOf::kDoctor);
  EXPECT_TRUE(launch.finished);
  EXPECT_EQ(json_of(launch.header), json_of(sample_record().header));
  EXPECT_EQ(launch.points.size(), 14u);
  EXPECT_DOUBLE_EQ(figure_in(launch, "fp32 FMA", "GFLOP/s"), 2000);
  EXPECT_DOUBLE_EQ(figure_in(launch, "bf16", "GFLOP/s"), 4000);
  EXPECT_DOUBLE_EQ(figure_in(launch, "memory bandwidth", "GB/s"), 20);
  EXPECT_DOUBLE_EQ(figure_in(launch, "lowest memory bandwidth", "GB/s"), 16);
  EXPECT_DOUBLE_EQ(figure_in(launch, "exp2", "G/s"), 5);
  EXPECT_DOUBLE_EQ(figure_in(launch, "CPU time", "%"), 95);
  EXPECT_DOUBLE_EQ(figure_in(launch, "lowest CPU time", "%"), 90);
  EXPECT_DOUBLE_EQ(figure_in(launch, "inner hop", "GB/s"), 8);
  EXPECT_DOUBLE_EQ(figure_in(launch, "inner hop", "us"), 2);
  EXPECT_DOUBLE_EQ(figure_in(launch, "inner link by itself", "GB/s"), 15) << "the median";
  EXPECT_DOUBLE_EQ(figure_in(launch, "inner link by itself", "us"), 2);
}

TEST_F(DoctorFigures, KnowByWhatTheyWereMeasured) {
  const Launch launch = read(sample_record());
  EXPECT_EQ(launch.points.front().axes, (Json{{"figure", "fp32 FMA"}, {"unit", "GFLOP/s"}, {"ranks", 2}}));
  EXPECT_EQ(launch.points.back().axes, (Json{{"figure", "inner link by itself"},
                                             {"unit", "us"},
                                             {"ranks", 2},
                                             {"backend", "cpu"},
                                             {"ranks_per_node", 2},
                                             {"transport", "mpi"},
                                             {"message_bytes", 1 << 20},
                                             {"emulate_link", nullptr}}));
}

TEST_F(DoctorFigures, ThatTheRecordLacksAreNotMeasured) {
  DoctorRecord record = sample_record();
  record.links->patterns[0].figures.bytes_per_second.reset();
  record.links->pairs[0].figures.bytes_per_second.reset();
  const Launch launch = read(record);
  EXPECT_FALSE(launch.points[10].is_measured());
  EXPECT_EQ(launch.points[10].id, "inner hop in GB/s");
  EXPECT_DOUBLE_EQ(figure_in(launch, "inner link by itself", "GB/s"), 20) << "of those that are known";
}

TEST_F(DoctorFigures, OfLinksAreInvalidWhereOneCorruptsData) {
  DoctorRecord record = sample_record();
  record.links->corruptions = {{{1, 0}, 8, 0, 1}};
  for (const PointRecord& figure : read(record).points) {
    const bool of_links = figure.axes.contains("transport");
    EXPECT_EQ(figure.status, of_links ? Status::kInvalid : Status::kOk) << figure.id;
    EXPECT_EQ(figure.reason, of_links ? "the link of rank 1 to rank 0 corrupts data" : "");
  }
}

TEST_F(DoctorFigures, OfAJobThatWasEndedAreThoseBefore) {
  DoctorRecord record = sample_record();
  record.links.reset();
  record.complete = false;
  const Launch launch = read(record);
  EXPECT_FALSE(launch.finished);
  EXPECT_EQ(launch.points.size(), 10u);
}

TEST_F(DoctorFigures, OfOneRankHaveNoLowest) {
  DoctorRecord record = sample_record();
  record.header.ranks.resize(1);
  record.peaks.resize(1);
  record.links.reset();
  EXPECT_EQ(read(record).points.size(), 5u);
}

TEST_F(DoctorFigures, OfARecordWithoutASpreadAreItsMeans) {
  Json json = json_of(sample_record());
  for (const char* key : {"cpu_time", "spread", "by_rank"}) json["peaks"].erase(key);
  json.erase("links");
  EXPECT_EQ(records_at(records_.write_text("earlier.json", text_of(json))).at(0).points.size(), 4u);
}

TEST_F(DoctorFigures, ThatAreNoneAreRefused) {
  Json json = json_of(sample_record());
  const auto refused = [&](std::string_view why) {
    const std::string path = records_.write_text("bad.json", text_of(json));
    expect_refused([&] { records_at(path); }, {path, why});
  };
  for (const double figure : {0.0, -1.0, 1e-320}) {
    json["peaks"]["bf16_tflops"] = figure;
    refused("bf16 in GFLOP/s is not above 0");
  }
  json["peaks"] = "high";
  refused("cannot be read");
  json["schema"]["version"] = 9;
  refused("is of version 9, and this program reads version 1");
}

TEST_F(DoctorFigures, AreNotReadBesideResults) {
  const std::string record = records_.write("mixed/doctor.json", sample_record());
  const std::string result = records_.write_text("mixed/result.json", text_of(json_of(sample_result())));
  const std::string directory = std::filesystem::path(record).parent_path();
  const std::vector<Launch> launches = records_at(directory);
  ASSERT_EQ(launches.size(), 1u) << "where a directory has results, it stands for them";
  EXPECT_EQ(launches[0].of, LaunchOf::kRun);
  expect_refused([&] { records_at(result + "," + record); }, {record, "is a record of doctor, not results of run"});
  expect_refused([&] { records_at(record + "," + directory); }, {record, "is a record of doctor"});
  expect_refused([&] { read_launches(record); }, {record, "is a record of doctor, not results of run"});
  std::filesystem::remove(result);
  EXPECT_EQ(records_at(directory).at(0).of, LaunchOf::kDoctor);
}

}  // namespace
}  // namespace cpbench
