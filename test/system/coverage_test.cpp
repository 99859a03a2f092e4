// Runs every cell of docs/coverage.md, and keeps that file true.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "expect_refused.hpp"
#include "system/coverage.hpp"
#include "system/mismatches.hpp"
#include "system/test_case.hpp"

namespace cpbench::test {
namespace {

void run_cell(const Case& c) {
  const TestCase t{.c = c, .seed = 1, .max_delay = 2};
  for (const std::string& line : mismatches(c, expect(c, t.inputs()), run_once(t, t.options()))) {
    ADD_FAILURE() << line << "\n" << t;
  }
}

class Coverage : public testing::TestWithParam<CoverageRow> {};

TEST_P(Coverage, EveryCellOfTheRowIsRightOrRefused) {
  for (const HeadMode& heads : head_modes()) {
    for (const CoverageColumn& column : coverage_columns()) {
      for (const Case& c : cases_of(heads, GetParam(), column)) {
        if (const auto refusal = refusal_of(c)) {
          expect_refused([&] { build_schedule(c); }, {*refusal});
        } else {
          run_cell(c);
        }
      }
    }
  }
}

TEST_P(Coverage, ARowOfAnyShardIsThatOfEveryOne) {
  if (!GetParam().takes_any_shard()) return;
  for (const HeadMode& heads : head_modes()) {
    for (const CoverageColumn& column : coverage_columns()) {
      Case c = cases_of(heads, GetParam(), column).front();
      const std::vector<Tokens> tokens = make_shards(c).of_rank;
      for (const ShardKind shard : all_shards()) {
        c.shard = shard;
        EXPECT_EQ(make_shards(c).of_rank, tokens) << name_of(shard);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Rows, Coverage, testing::ValuesIn(coverage_rows()));

TEST(CoverageDocument, IsWhatTheseTestsRun) {
  const std::string fresh = coverage_document();
  std::ofstream(CPBENCH_GENERATED_COVERAGE) << fresh;
  std::ifstream file(CPBENCH_DOCUMENTED_COVERAGE);
  const std::string documented{std::istreambuf_iterator<char>(file), {}};
  EXPECT_TRUE(documented == fresh) << "out of date: cp " << CPBENCH_GENERATED_COVERAGE << " "
                                   << CPBENCH_DOCUMENTED_COVERAGE;
}

}  // namespace
}  // namespace cpbench::test
