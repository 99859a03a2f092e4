#include "problem/document_lengths.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "expect_refused.hpp"
#include "problem/documents.hpp"
#include "support/config_path.hpp"
#include "temporary_file.hpp"

namespace cpbench {
namespace {

std::filesystem::path shipped(const std::string& name) { return find_config("document-lengths/" + name); }

TEST(DocumentLengths, PartitionTheSequence) {
  for (const char* name : {"pile.json", "prolong64k.json", "prolong512k.json"}) {
    for (const std::int64_t seq_len : {1, 31, 8191, 1'000'003}) {
      const auto lengths = sample_document_lengths(shipped(name), seq_len, 42);
      EXPECT_NO_THROW(Documents::from_lengths(lengths, seq_len)) << name << " " << seq_len;
    }
  }
}

// The numbers themselves: a change to the draw would silently change every published case.
TEST(DocumentLengths, AreTheSameEverywhere) {
  const auto lengths = sample_document_lengths(shipped("pile.json"), 4096, 1);
  const std::vector<std::int64_t> expected = {289, 317, 41, 902, 612, 70, 1865};
  EXPECT_EQ(lengths, expected);
}

TEST(DocumentLengths, SeedsDifferAndLongerSequencesExtendShorterOnes) {
  const auto short_list = sample_document_lengths(shipped("pile.json"), 10'000, 7);
  const auto long_list = sample_document_lengths(shipped("pile.json"), 100'000, 7);
  EXPECT_TRUE(std::equal(short_list.begin(), short_list.end() - 1, long_list.begin()));
  EXPECT_NE(short_list, sample_document_lengths(shipped("pile.json"), 10'000, 8));
  EXPECT_NE(short_list, sample_document_lengths(shipped("pile.json"), 10'000, 7 + (std::uint64_t{1} << 32)));
}

// Shares, not normalised: 3 of 4 documents uniform in [10,20), 1 of 4 log-uniform in [100,100000).
TEST(DocumentLengths, FollowTheHistogram) {
  const TemporaryFile file(R"json({"[100,100000)": 0.5, "[10,20)": 1.5})json");
  auto lengths = sample_document_lengths(file.path(), 100'000'000, 3);
  lengths.pop_back();
  const auto total = static_cast<double>(lengths.size());
  const auto share = [&](std::int64_t low, std::int64_t high) {
    const auto within = [&](std::int64_t length) { return low <= length && length < high; };
    return static_cast<double>(std::count_if(lengths.begin(), lengths.end(), within)) / total;
  };
  // About 27 thousand documents: four standard deviations of a share are below 0.012.
  EXPECT_GT(total, 20'000);
  EXPECT_NEAR(share(10, 20), 0.75, 0.012);
  EXPECT_NEAR(share(10, 15), 0.375, 0.012);
  EXPECT_GT(share(10, 11), 0.06);
  EXPECT_GT(share(19, 20), 0.06);
  for (const std::int64_t decade : {100, 1'000, 10'000}) EXPECT_NEAR(share(decade, 10 * decade), 0.25 / 3, 0.012);
}

TEST(DocumentLengths, NeverEmpty) {
  const TemporaryFile file(R"json({"[0,2)": 1, "[2,3)": 0})json");
  const auto lengths = sample_document_lengths(file.path(), 100, 0);
  EXPECT_EQ(lengths, std::vector<std::int64_t>(100, 1));
}

TEST(DocumentLengths, BadHistogramsAreRefused) {
  const auto expect = [](std::string_view content, std::initializer_list<std::string_view> parts) {
    const TemporaryFile file(content);
    expect_refused([&] { sample_document_lengths(file.path(), 100, 0); }, parts);
  };
  expect_refused([] { sample_document_lengths("/no/such/file.json", 100, 0); }, {"/no/such/file.json"});
  expect("[0,1)", {"not valid JSON"});
  expect("[]", {"an object"});
  expect("{}", {"an object"});
  for (const std::string range :
       {"0,1", "[0,1]", "[a,1)", "[0;1)", "[5,5)", "[-1,5)", "[0,1)", "[1,99999999999999999999)", "[3)", "["}) {
    expect("{\"" + range + "\": 1}", {"\"" + range + "\" is not a range"});
  }
  expect(R"json({"[0,10)": -0.5})json", {"\"[0,10)\" is -0.5"});
  expect(R"json({"[0,10)": "many"})json", {"\"[0,10)\" is \"many\""});
  expect(R"json({"[0,10)": 0})json", {"sum to 0"});
  expect(R"json({"[0,10)": 1, "[9,12)": 1})json", {"end at 10", "begin at 9", "overlap"});
}

TEST(DocumentLengths, ImpossibleLengthsAreRefused) {
  expect_refused([] { sample_document_lengths(shipped("pile.json"), 0, 0); }, {"seq_len is 0"});
  const TemporaryFile file(R"json({"[1,2)": 1, "[2,3)": 0})json");
  expect_refused([&] { sample_document_lengths(file.path(), 1'000'000'000'000, 0); },
                 {"1000000000000", "4194304 documents"});
}

}  // namespace
}  // namespace cpbench
