#include "validate/dump.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "expect_refused.hpp"
#include "temporary_file.hpp"
#include "validate/host_reference.hpp"
#include "validate/in_process_collective.hpp"
#include "validate/job.hpp"
#include "validate/npy.hpp"
#include "validate/problems.hpp"

namespace cpbench {
namespace {

class DumpTest : public testing::Test {
 protected:
  std::string read(const std::string& name) const {
    std::ifstream file(directory_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  /// Elements of a file, after a look at its header.
  std::vector<float> array(const std::string& name, const std::vector<std::int64_t>& shape) const {
    const std::string bytes = read(name), header = npy_header(shape);
    EXPECT_EQ(bytes.substr(0, header.size()), header) << name;
    std::vector<float> values((bytes.size() - std::min(bytes.size(), header.size())) / sizeof(float));
    std::memcpy(values.data(), bytes.data() + header.size(), values.size() * sizeof(float));
    return values;
  }

  const TemporaryDirectory temporary_;
  const std::filesystem::path directory_ = temporary_.path() / "dump";
};

TEST(Npy, HeaderIsThatOfTheFormat) {
  const std::string header = npy_header(std::vector<std::int64_t>{2, 30});
  EXPECT_EQ(header.size() % 64, 0u);
  EXPECT_EQ(header.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
  EXPECT_EQ(static_cast<std::size_t>(static_cast<unsigned char>(header[8])) + 10, header.size());
  EXPECT_EQ(header.substr(10, 60), "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 30)}  ");
  EXPECT_EQ(header.back(), '\n');
  EXPECT_NE(npy_header(std::vector<std::int64_t>{7}).find("(7,)"), std::string::npos);
}

TEST_F(DumpTest, HasEverythingInGlobalOrder) {
  Problem problem = small_problem(11, Mask::window(4, 0));
  problem.batch = 2;
  problem.heads = 4;
  problem.head_dim_v = 8;
  problem.sink = true;
  problem.documents = Documents::from_lengths(std::vector<std::int64_t>{4, 7}, 11);
  const Inputs inputs(problem, InputKind::kNormal, 1);
  const Results results = compute(*make_low_precision(inputs), inputs);
  const auto shards = zigzag_shards(11, 3);
  prepare_dump(directory_, false);
  run_ranks(3, [&](Collective& collective) {
    const Tokens& tokens = shards[static_cast<std::size_t>(collective.rank())];
    RankResults local(inputs, results, tokens);
    const ValidationReport report = check_results(inputs, *make_reference(inputs), {.mode = {CheckMode::Kind::kFull}},
                                                  tokens, local.local(), collective);
    dump(directory_, inputs, Pass::kForwardBackward, tokens, local.local(), report, collective);
  });

  const auto expect_array = [&](const char* name, const std::vector<std::int64_t>& shape,
                                const std::vector<double>& expected) {
    EXPECT_EQ(array(name, shape), std::vector<float>(expected.begin(), expected.end())) << name;
  };
  expect_array("out.npy", {2, 11, 4, 8}, results.out);
  expect_array("lse.npy", {2, 11, 4}, results.lse);
  expect_array("dq.npy", {2, 11, 4, 16}, results.dq);
  expect_array("dk.npy", {2, 11, 2, 16}, results.dk);
  expect_array("dv.npy", {2, 11, 2, 8}, results.dv);
  expect_array("dsink.npy", {4}, results.dsink);
  const std::vector<float> k = array("k.npy", {2, 11, 2, 16});
  std::vector<float> row(16);
  inputs.row(Tensor::kK, 1, 9, 1, row);
  EXPECT_TRUE(std::equal(row.begin(), row.end(), k.begin() + ((1 * 11 + 9) * 2 + 1) * 16));
  EXPECT_EQ(array("sink.npy", {4})[2], inputs.sink(2));

  const auto json = nlohmann::json::parse(read("problem.json"));
  EXPECT_EQ(json["mask"], (nlohmann::json{{"left", 4}, {"right", 0}}));
  EXPECT_EQ(json["documents"], (nlohmann::json{4, 7}));
  EXPECT_EQ(json["tolerance"].size(), 6u);
  EXPECT_GT(json["tolerance"]["dq"], 0);
}

TEST_F(DumpTest, ForwardHasNoGradientsAndFullMasksNoBounds) {
  const Problem problem = small_problem(5, Mask::full());
  const Inputs inputs(problem, InputKind::kNormal, 1);
  const Tokens tokens = {{0, 5, 1}};
  RankResults local(inputs, compute(*make_low_precision(inputs), inputs), tokens);
  SingleProcess alone;
  prepare_dump(directory_, false);
  dump(directory_, inputs, Pass::kForward, tokens, local.local(), {}, alone);
  for (const char* name : {"dout.npy", "dq.npy", "dk.npy", "dv.npy", "dsink.npy", "sink.npy"}) {
    EXPECT_FALSE(std::filesystem::exists(directory_ / name)) << name;
  }
  EXPECT_TRUE(nlohmann::json::parse(read("problem.json"))["mask"]["left"].is_null());
}

TEST_F(DumpTest, IsPreparedInAnEmptyDirectoryOnly) {
  prepare_dump(directory_, false);
  EXPECT_TRUE(std::filesystem::is_empty(directory_)) << "nothing is written before the run";
  const auto write = [&](const std::string& name) {
    std::filesystem::create_directories((directory_ / name).parent_path());
    std::ofstream(directory_ / name) << "old";
  };
  for (const char* name :
       {"problem.json", "dq.npy", "notes.txt", "0-ring-cp2/problem.json", "0-ring-cp2/q.npy", "unrelated/q.npy"}) {
    write(name);
  }
  expect_refused([&] { prepare_dump(directory_, false); }, {directory_.string(), "not empty", "--overwrite"});
  EXPECT_EQ(read("dq.npy"), "old");
  prepare_dump(directory_, true);
  for (const char* name : {"problem.json", "dq.npy", "0-ring-cp2"}) {
    EXPECT_FALSE(std::filesystem::exists(directory_ / name)) << name;
  }
  EXPECT_EQ(read("notes.txt"), "old");
  EXPECT_EQ(read("unrelated/q.npy"), "old");
  expect_refused([&] { prepare_dump(directory_ / "notes.txt", true); }, {"notes.txt", "ot a directory"});
}

TEST_F(DumpTest, RefusesAPlaceThatCannotBeWrittenTo) {
  const std::filesystem::path nowhere = directory_ / "missing" / "dump";
  expect_refused([&] { prepare_dump(nowhere, false); }, {nowhere.string()});

  const Problem problem = small_problem(5);
  const Inputs inputs(problem, InputKind::kNormal, 1);
  const Results results = compute(*make_low_precision(inputs), inputs);
  run_ranks(2, [&](Collective& collective) {
    const Tokens tokens = contiguous_shards(5, 2)[static_cast<std::size_t>(collective.rank())];
    RankResults local(inputs, results, tokens);
    expect_refused([&] { dump(nowhere, inputs, Pass::kForward, tokens, local.local(), {}, collective); },
                   {"cannot write \"" + nowhere.string(), "No such file or directory"});
  });

  prepare_dump(directory_, false);
  std::filesystem::create_symlink("/dev/full", directory_ / "k.npy");
  run_ranks(2, [&](Collective& collective) {
    const Tokens tokens = contiguous_shards(5, 2)[static_cast<std::size_t>(collective.rank())];
    RankResults local(inputs, results, tokens);
    const std::filesystem::path named = collective.rank() == 0 ? directory_ / "k.npy" : directory_;
    expect_refused([&] { dump(directory_, inputs, Pass::kForward, tokens, local.local(), {}, collective); },
                   {"cannot write \"" + named.string() + "\": No space left on device", "free some space"});
  });
}

}  // namespace
}  // namespace cpbench
