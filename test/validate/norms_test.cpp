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
  norms.add({0, 0, 0}, Row{-kInfinity, 2}, Row{-kInfinity, 2});
  EXPECT_FALSE(norms.defect());
  EXPECT_EQ(norms.rel_l2(), 0);
}

TEST(ErrorNorms, NamesTheFirstElementThatIsNoNumber) {
  ErrorNorms norms;
  norms.add({0, 9, 1}, Row{1, -kInfinity}, Row{1, 2});
  norms.add({0, 7, 3}, Row{1, kNan}, Row{1, 2});
  norms.add({1, 2, 0}, Row{2, 2}, Row{kNan, 2});
  ASSERT_TRUE(norms.defect());
  EXPECT_EQ(norms.defect()->row.token, 7);
  EXPECT_EQ(norms.defect()->row.head, 3);
  EXPECT_TRUE(std::isnan(norms.defect()->value));
  EXPECT_EQ(norms.defect()->reference, 2);
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
    if (collective.rank() == 1) norms.add({4, 1, 0}, Row{kNan}, Row{1});
    norms.join(collective);
    EXPECT_DOUBLE_EQ(norms.max_abs(), whole.max_abs());
    EXPECT_NEAR(norms.rel_l2(), whole.rel_l2(), 1e-12);
    EXPECT_NEAR(norms.worst_block(), whole.worst_block(), 1e-12);
    EXPECT_EQ(norms.worst_block_name(1000), "batch 0, head 2, tokens 128 to 255");
    EXPECT_EQ(norms.worst_block_name(200), "batch 0, head 2, tokens 128 to 199");
    ASSERT_TRUE(norms.defect());
    EXPECT_EQ(norms.defect()->row.batch, 4);
  });
}

}  // namespace
}  // namespace cpbench
