#include "validate/input.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "expect_refused.hpp"
#include "validate/normal.hpp"
#include "validate/problems.hpp"

namespace cpbench {
namespace {

std::vector<float> row_of(const Inputs& inputs, Tensor tensor, std::int64_t batch, std::int64_t token, int head) {
  std::vector<float> values(static_cast<std::size_t>(inputs.dim_of(tensor)));
  inputs.row(tensor, batch, token, head, values);
  return values;
}

TEST(RandomBits, AreThoseOfRandom123sKnownAnswers) {
  EXPECT_EQ(random_bits(0, {0, 0, 0, 0}),
            (std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(random_bits(~std::uint64_t{0}, {~0u, ~0u, ~0u, ~0u}),
            (std::array<std::uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
}

TEST(StandardNormals, AreBoxAndMullersOfThoseBits) {
  for (std::uint32_t i = 0; i < 1000; ++i) {
    std::array<float, 8> values;
    standard_normals(7, {i, 2, 3, 4}, values);
    for (std::size_t pair = 0; pair < 4; ++pair) {
      const auto bits = random_bits(7, {i, 2, 3, 4 + static_cast<std::uint32_t>(pair / 2)});
      const std::uint32_t radius_bits = bits[pair % 2 * 2], angle_bits = bits[pair % 2 * 2 + 1];
      const double radius = std::sqrt(-2 * std::log(((radius_bits >> 8) + 1) / 16777216.0));
      const double quarter = angle_bits >> 30, fraction = static_cast<std::int32_t>(angle_bits << 2) / 4294967296.0;
      const double angle = (quarter + fraction) * M_PI / 2;
      EXPECT_NEAR(values[pair * 2], radius * std::cos(angle), 2e-6);
      EXPECT_NEAR(values[pair * 2 + 1], radius * std::sin(angle), 2e-6);
    }
  }
}

TEST(StandardNormals, HaveTheSameBitsInVectorsAndAlone) {
  std::array<float, 256> many;
  standard_normals(7, {1, 2, 3, 0}, many);
  for (std::uint32_t block = 0; block < 64; ++block) {
    std::array<float, 4> alone;
    standard_normals(7, {1, 2, 3, block}, alone);
    for (std::size_t i = 0; i < 4; ++i) ASSERT_EQ(alone[i], many[block * 4 + i]);
  }
}

TEST(StandardNormals, HaveTheMomentsOfANormalDistribution) {
  std::vector<float> values(4);
  double moments[5] = {};
  constexpr int kDraws = 200000;
  for (std::uint32_t i = 0; i < kDraws / 4; ++i) {
    standard_normals(1, {i, 0, 0, 0}, values);
    for (const float value : values) {
      for (int power = 1; power <= 4; ++power) moments[power] += std::pow(value, power) / kDraws;
    }
  }
  // Five standard deviations of each mean: the root of (variance of the power / draws).
  EXPECT_NEAR(moments[1], 0, 5 * std::sqrt(1.0 / kDraws));
  EXPECT_NEAR(moments[2], 1, 5 * std::sqrt(2.0 / kDraws));
  EXPECT_NEAR(moments[3], 0, 5 * std::sqrt(15.0 / kDraws));
  EXPECT_NEAR(moments[4], 3, 5 * std::sqrt(96.0 / kDraws));
}

TEST(Inputs, DifferInEveryCoordinateAndInNothingElse) {
  Problem problem = small_problem(1 << 20);
  problem.batch = 3;
  const Inputs inputs(problem, InputKind::kNormal, 5);
  std::set<std::vector<float>> rows;
  int expected = 0;
  for (const Tensor tensor : {Tensor::kQ, Tensor::kK, Tensor::kV, Tensor::kDout}) {
    for (const std::int64_t batch : {0, 2}) {
      for (const std::int64_t token : {std::int64_t{0}, std::int64_t{77}, std::int64_t{1} << 35}) {
        for (const int head : {0, 1}) {
          for (const std::uint64_t seed : {5u, 6u}) {
            rows.insert(row_of(Inputs(problem, InputKind::kNormal, seed), tensor, batch, token, head));
            ++expected;
          }
        }
      }
    }
  }
  EXPECT_EQ(static_cast<int>(rows.size()), expected);
  Problem other = problem;
  other.seq_len = 99;
  other.heads = 64;
  EXPECT_EQ(row_of(inputs, Tensor::kQ, 1, 40, 1), row_of(Inputs(other, InputKind::kNormal, 5), Tensor::kQ, 1, 40, 1));
}

TEST(Inputs, AreRoundedToTheDtype) {
  for (const DType dtype : {DType::kBf16, DType::kFp16}) {
    Problem problem = small_problem(8);
    const auto exact = row_of(Inputs(problem, InputKind::kNormal, 1), Tensor::kV, 0, 3, 1);
    problem.dtype = dtype;
    const auto rounded = row_of(Inputs(problem, InputKind::kNormal, 1), Tensor::kV, 0, 3, 1);
    EXPECT_NE(exact, rounded);
    for (std::size_t c = 0; c < exact.size(); ++c) EXPECT_EQ(rounded[c], round_to(dtype, exact[c]));
  }
}

TEST(Inputs, FillWritesTheRowsOfAShardInEveryLayout) {
  for (const Layout layout : {Layout::kBshd, Layout::kSbhd, Layout::kBhsd, Layout::kThd}) {
    Problem problem = small_problem(20);
    problem.batch = 2;
    problem.dtype = DType::kBf16;
    problem.layout = layout;
    const Inputs inputs(problem, InputKind::kNormal, 1);
    const Tokens tokens = {{1, 3, 4}, {17, 2, 1}};
    const Buffer buffer{Role::kQ, problem.dtype, problem.heads, problem.head_dim, 0, 5};
    std::vector<std::byte> memory(static_cast<std::size_t>(buffer.bytes(problem.batch)));
    const TensorView view = view_of(buffer, layout, problem.batch, memory.data()).first;
    inputs.fill(view, Tensor::kQ, tokens, 2);
    const std::vector<std::int64_t> token_of = {1, 5, 9, 17, 18};
    for (std::int64_t b = 0; b < 2; ++b) {
      for (std::int64_t row = 0; row < 5; ++row) {
        for (int head = 0; head < problem.heads; ++head) {
          const auto expected = row_of(inputs, Tensor::kQ, b, token_of[static_cast<std::size_t>(row)], head);
          for (std::size_t c = 0; c < expected.size(); ++c) {
            ASSERT_EQ(view.at<bf16>(b, row, head)[c].to_float(), expected[c]);
          }
        }
      }
    }
  }
}

double measured_rms(const Inputs& inputs, Tensor tensor) {
  double squares = 0;
  constexpr int kRows = 2000;
  for (int token = 0; token < kRows; ++token) {
    for (const float value : row_of(inputs, tensor, 0, token, token % inputs.heads_of(tensor)))
      squares += value * value;
  }
  return std::sqrt(squares / (kRows * inputs.dim_of(tensor)));
}

TEST(Inputs, HaveTheStatedSizes) {
  for (const InputKind kind :
       {InputKind::kNormal, InputKind::kOutlier, InputKind::kLargeLogits, InputKind::kConstant}) {
    const Inputs inputs(small_problem(4096), kind, 1);
    for (const Tensor tensor : {Tensor::kQ, Tensor::kK, Tensor::kV, Tensor::kDout}) {
      EXPECT_NEAR(measured_rms(inputs, tensor) / inputs.rms_of(tensor), 1, 0.05) << name_of(kind) << name_of(tensor);
    }
  }
  const Inputs outlier(small_problem(4096), InputKind::kOutlier, 1), normal(small_problem(4096), InputKind::kNormal, 1);
  EXPECT_GT(outlier.rms_of(Tensor::kK), 4);
  EXPECT_EQ(row_of(outlier, Tensor::kQ, 0, 1, 1), row_of(normal, Tensor::kQ, 0, 1, 1));
  EXPECT_EQ(Inputs(small_problem(64), InputKind::kLargeLogits, 1).rms_of(Tensor::kQ), 4);
}

TEST(Inputs, OutliersAreChannelsOfAHead) {
  Problem problem = small_problem(64);
  problem.head_dim = 256;
  const Inputs outlier(problem, InputKind::kOutlier, 1), normal(problem, InputKind::kNormal, 1);
  std::set<std::size_t> channels;
  for (int token = 0; token < 64; ++token) {
    const auto large = row_of(outlier, Tensor::kK, 0, token, 1), plain = row_of(normal, Tensor::kK, 0, token, 1);
    for (std::size_t c = 0; c < large.size(); ++c) {
      if (large[c] != plain[c]) channels.insert(c);
    }
  }
  EXPECT_EQ(channels.size(), 2u);
}

TEST(Inputs, NanIsOneElementOfK) {
  Problem problem = small_problem(9);
  problem.batch = 2;
  const Inputs inputs(problem, InputKind::kNan, 1);
  int found = 0;
  for (const Tensor tensor : {Tensor::kQ, Tensor::kK, Tensor::kV, Tensor::kDout}) {
    for (std::int64_t b = 0; b < 2; ++b) {
      for (std::int64_t token = 0; token < 9; ++token) {
        for (int head = 0; head < 2; ++head) {
          for (const float value : row_of(inputs, tensor, b, token, head)) found += std::isnan(value) ? 1 : 0;
        }
      }
    }
  }
  EXPECT_EQ(found, 1);
  EXPECT_TRUE(std::isnan(row_of(inputs, Tensor::kK, 0, inputs.nan_token(), Inputs::kNanHead)[0]));
}

TEST(Inputs, NamesAreParsedAndUnknownOnesRefused) {
  for (const InputKind kind :
       {InputKind::kNormal, InputKind::kOutlier, InputKind::kLargeLogits, InputKind::kConstant, InputKind::kNan}) {
    EXPECT_EQ(parse_input(name_of(kind)), kind);
  }
  expect_refused([] { parse_input("norml"); }, {"norml", "normal"});
}

}  // namespace
}  // namespace cpbench
