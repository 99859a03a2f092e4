#include "validate/norms.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "validate/in_process_collective.hpp"

namespace cpbench {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

using Row = std::vector<double>;

TEST(ErrorNorms, ArePlainWhereThereIsOneRow) {
  ErrorNorms norms;
  norms.add({0, 0, 0}, Row{3, 4.5}, Row{3, 4});
  EXPECT_DOUBLE_EQ(norms.max_abs(), 0.5);
  EXPECT_DOUBLE_EQ(norms.rel_l2(), 0.1);
  EXPECT_DOUBLE_EQ(norms.worst_block(), 0.1);
}

TEST(ErrorNorms, TheWorstBlockSeesWhatTheGlobalNormCannot) {
  // Rows of causal attention shrink like 1 / sqrt(keys); the last 128 of 32768 are zeroed.
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal;
  constexpr std::int64_t kRows = 32768;
  ErrorNorms norms;
  for (std::int64_t token = 0; token < kRows; ++token) {
    Row reference(8);
    for (double& value : reference) value = normal(random) / std::sqrt(static_cast<double>(token + 1));
    norms.add({0, token, 0}, token < kRows - 128 ? reference : Row(8), reference);
  }
  EXPECT_LT(norms.rel_l2(), 0.03);
  EXPECT_DOUBLE_EQ(norms.worst_block(), 1);
  EXPECT_EQ(norms.worst_block_name(1 << 20), "batch 0, head 0, tokens 32640 to 32767");
}

TEST(ErrorNorms, BlocksKeepHeadsAndSequencesApart) {
  for (const RowId& wrong : {RowId{1, 5, 0}, RowId{0, 5, 1}, RowId{0, 128, 0}}) {
    ErrorNorms norms;
    norms.add({0, 5, 0}, Row{100}, Row{100});
    norms.add(wrong, Row{0}, Row{1});
    EXPECT_DOUBLE_EQ(norms.worst_block(), 1);
    EXPECT_NEAR(norms.rel_l2(), 0.01, 1e-5);
  }
}

TEST(ErrorNorms, AnErrorAgainstZeroIsInfinite) {
  ErrorNorms norms;
  norms.add({0, 0, 0}, Row{0, 0}, Row{0, 0});
  EXPECT_EQ(norms.rel_l2(), 0);
  norms.add({0, 0, 0}, Row{1e-9, 0}, Row{0, 0});
  EXPECT_EQ(norms.rel_l2(), kInfinity);
}

TEST(ErrorNorms, ASmallRowIsMeasuredAgainstItsLeastSquare) {
  ErrorNorms norms;
  norms.add({0, 0, 0}, Row{0.001, 0}, Row{0, 0}, 4);
  EXPECT_DOUBLE_EQ(norms.rel_l2(), 0.0005);
}

TEST(ErrorNorms, EqualInfinitiesAreEqual) {
  ErrorNorms norms;
  EXPECT_TRUE(norms.add({0, 0, 0}, Row{-kInfinity, 2}, Row{-kInfinity, 2}).is_number);
  EXPECT_EQ(norms.rel_l2(), 0);
}

TEST(ErrorNorms, ARowNamesItsWorstChannel) {
  ErrorNorms norms;
  const RowError error = norms.add({0, 0, 0}, Row{1, 2.5, 3, 4.25}, Row{1, 2, 2, 4});
  EXPECT_TRUE(error.is_number);
  EXPECT_EQ(error.channel, 2u);
  EXPECT_EQ(error.value, 3);
  EXPECT_EQ(error.reference, 2);
  EXPECT_DOUBLE_EQ(error.relative(), norms.rel_l2());
}

TEST(ErrorNorms, ARowNamesItsFirstChannelThatIsNoNumber) {
  for (const auto& [value, reference] :
       {std::pair(kNan, 2.0), {kInfinity, 2.0}, {2.0, kNan}, {-kInfinity, kInfinity}}) {
    ErrorNorms norms;
    const RowError error = norms.add({0, 0, 0}, Row{9, value, 9, kNan}, Row{1, reference, 1, 1});
    EXPECT_FALSE(error.is_number);
    EXPECT_EQ(error.channel, 1u);
  }
}

TEST(ErrorNorms, FindTheFactorOfAllRows) {
  ErrorNorms norms;
  norms.add({0, 0, 0}, Row{3, -6.003}, Row{1, -2});
  norms.add({0, 900, 3}, Row{1.5, 0}, Row{0.5, 0});
  ASSERT_TRUE(norms.factor(0.01));
  EXPECT_NEAR(*norms.factor(0.01), 3, 0.01);
  EXPECT_FALSE(norms.factor(1e-5)) << "the values are not that near to it";
  norms.add({0, 0, 1}, Row{1, 0}, Row{0, 1});
  EXPECT_FALSE(norms.factor(0.01));
}

TEST(ErrorNorms, FindTheFactorOfTheRowsOfAllRanks) {
  run_ranks(2, [](Collective& collective) {
    ErrorNorms alike, unlike;
    alike.add({0, collective.rank(), 0}, Row{6, 2}, Row{3, 1});
    unlike.add({0, collective.rank(), 0}, Row{6, 2.0 + collective.rank()}, Row{3, 1});
    alike.join(collective);
    unlike.join(collective);
    ASSERT_TRUE(alike.factor(1e-6));
    EXPECT_DOUBLE_EQ(*alike.factor(1e-6), 2);
    EXPECT_FALSE(unlike.factor(1e-6));
  });
}

TEST(ErrorNorms, HaveNoFactorWhereTheyAreRight) {
  ErrorNorms norms;
  EXPECT_FALSE(norms.factor(0.01));
  norms.add({0, 0, 0}, Row{1.001, 2.002}, Row{1, 2});
  EXPECT_FALSE(norms.factor(0.01));
}

TEST(ErrorNorms, JoinedAreThoseOfAllRows) {
  // Two ranks hold alternate rows of the same blocks.
  ErrorNorms whole;
  const auto add = [](ErrorNorms& norms, std::int64_t token) {
    const auto value = static_cast<double>(token % 17) + 1;
    norms.add({0, token, 2}, Row{value * (token == 200 ? 1.5 : 1.01)}, Row{value});
  };
  for (std::int64_t token = 0; token < 300; ++token) add(whole, token);
  run_ranks(2, [&](Collective& collective) {
    ErrorNorms norms;
    for (std::int64_t token = collective.rank(); token < 300; token += 2) add(norms, token);
    norms.join(collective);
    EXPECT_DOUBLE_EQ(norms.max_abs(), whole.max_abs());
    EXPECT_NEAR(norms.rel_l2(), whole.rel_l2(), 1e-12);
    EXPECT_NEAR(norms.worst_block(), whole.worst_block(), 1e-12);
    EXPECT_EQ(norms.worst_block_name(1000), "batch 0, head 2, tokens 128 to 255");
    EXPECT_EQ(norms.worst_block_name(200), "batch 0, head 2, tokens 128 to 199");
  });
}

}  // namespace
}  // namespace cpbench
