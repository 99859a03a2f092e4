#include "validate/check_mode.hpp"

#include <gtest/gtest.h>

#include "expect_refused.hpp"
#include "validate/problems.hpp"

namespace cpbench {
namespace {

using Kind = CheckMode::Kind;

TEST(CheckMode, NamesAreParsedAndPrinted) {
  for (const char* text : {"auto", "full", "sample", "sample:17", "off"}) EXPECT_EQ(to_string(parse_check(text)), text);
  EXPECT_EQ(parse_check("sample:17"), (CheckMode{Kind::kSample, 17}));
}

TEST(CheckMode, OthersAreRefused) {
  for (const char* text : {"", "fully", "sample:", "sample:0", "sample:-3", "sample:4x", "full:3"}) {
    expect_refused([&] { parse_check(text); }, {text, "sample:ROWS"});
  }
}

TEST(Resolve, SmallProblemsAreCheckedInFull) {
  EXPECT_EQ(resolve({}, small_problem(500), Pass::kForwardBackward, 1).kind, Kind::kFull);
}

TEST(Resolve, LargeProblemsAreSampledWithMoreRowsOnMoreCores) {
  Problem problem = small_problem(1 << 20);
  problem.head_dim = problem.head_dim_v = 128;
  const CheckMode few = resolve({}, problem, Pass::kForwardBackward, 1),
                  many = resolve({}, problem, Pass::kForwardBackward, 16);
  EXPECT_EQ(few.kind, Kind::kSample);
  EXPECT_EQ(many.kind, Kind::kSample);
  EXPECT_GE(few.rows, 8);
  EXPECT_GT(many.rows, few.rows);
}

TEST(Resolve, ChoicesAreKept) {
  const Problem large = small_problem(1 << 20), small = small_problem(8);
  EXPECT_EQ(resolve({Kind::kFull}, large, Pass::kForward, 1), CheckMode{Kind::kFull});
  EXPECT_EQ(resolve({Kind::kOff}, small, Pass::kForward, 1), CheckMode{Kind::kOff});
  EXPECT_EQ(resolve({Kind::kSample, 5}, small, Pass::kForward, 1), (CheckMode{Kind::kSample, 5}));
  EXPECT_EQ(resolve({Kind::kSample}, small, Pass::kForward, 1).kind, Kind::kSample);
  EXPECT_GE(resolve({Kind::kSample}, small, Pass::kForward, 1).rows, 1);
}

}  // namespace
}  // namespace cpbench
