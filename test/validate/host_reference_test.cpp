#include "validate/host_reference.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "relative_error.hpp"
#include "validate/brute_force.hpp"
#include "validate/job.hpp"
#include "validate/problems.hpp"
#include "validate/token_block.hpp"

namespace cpbench {
namespace {

void expect_near(const std::vector<double>& values, const std::vector<double>& expected, double error) {
  ASSERT_EQ(values.size(), expected.size());
  for (std::size_t i = 0; i < values.size(); ++i) ASSERT_NEAR(values[i], expected[i], error) << "at " << i;
}

TEST(Reference, ForwardIsTheDefinition) {
  for (const Problem& problem : small_problems()) {
    for (const InputKind kind : {InputKind::kNormal, InputKind::kLargeLogits}) {
      const Inputs inputs(problem, kind, 3);
      const Results results = compute(*make_reference(inputs), inputs);
      const BruteForce expected = attend_by_brute_force(problem, values_of(inputs));
      expect_near(results.out, expected.out, 1e-12);
      expect_near(results.lse, expected.lse, 1e-12);
    }
  }
}

TEST(Reference, GradientsAreTheDerivativesOfTheLoss) {
  for (const Problem& problem : small_problems()) {
    const Inputs inputs(problem, InputKind::kNormal, 4);
    const Results results = compute(*make_reference(inputs), inputs);
    Values values = values_of(inputs);
    const auto expect_derivatives = [&](std::vector<double>& inputs_of, const std::vector<double>& gradient) {
      // A prime step meets every head, row and channel sooner or later.
      for (std::size_t i = 0; i<inputs_of.size(); i += inputs_of.size()> 100 ? 61 : 1) {
        ASSERT_NEAR(gradient[i], finite_difference(problem, values, inputs_of[i]), 1e-6) << "at " << i;
      }
    };
    expect_derivatives(values.q, results.dq);
    expect_derivatives(values.k, results.dk);
    expect_derivatives(values.v, results.dv);
    if (problem.sink) expect_derivatives(values.sink, results.dsink);
  }
}

TEST(Reference, IsTheSameWithManyBlocksAndThreads) {
  Problem problem = small_problem(3 * kBlockRows + 5);
  problem.heads = problem.kv_heads = 1;
  const Inputs inputs(problem, InputKind::kLargeLogits, 3);
  const Results results = compute(*make_reference(inputs, 3), inputs);
  const BruteForce expected = attend_by_brute_force(problem, values_of(inputs));
  expect_near(results.out, expected.out, 1e-12);
  expect_near(results.lse, expected.lse, 1e-12);
}

TEST(Reference, ALargeLogitDoesNotOverflow) {
  Problem problem = small_problem(40);
  problem.scale = 100;
  const Inputs inputs(problem, InputKind::kLargeLogits, 3);
  const Results results = compute(*make_reference(inputs), inputs);
  EXPECT_GT(*std::max_element(results.lse.begin(), results.lse.end()), 1000);
  for (const auto* tensor : {&results.out, &results.dq, &results.dk, &results.dv}) {
    for (const double value : *tensor) ASSERT_TRUE(std::isfinite(value));
  }
}

TEST(Finish, ARowWithoutKeysHasMinusInfinityAndZero) {
  Problem problem = small_problem(8);
  const Inputs inputs(problem, InputKind::kNormal, 1);
  const std::vector<QueryRow> rows = {{3, 1}};
  const auto reference = make_reference(inputs);
  const ForwardRows forward = finish(*reference, inputs, rows, reference->attend({0, 1}, rows, {{4, 4, 1}}));
  EXPECT_EQ(forward.lse[0], -std::numeric_limits<double>::infinity());
  EXPECT_EQ(forward.out, std::vector<double>(16, 0.0));
}

TEST(Finish, ARowWithoutKeysHasItsSinkAlone) {
  Problem problem = small_problem(8);
  problem.sink = true;
  const Inputs inputs(problem, InputKind::kNormal, 1);
  const std::vector<QueryRow> rows = {{3, 1}};
  const auto reference = make_reference(inputs);
  const ForwardRows forward = finish(*reference, inputs, rows, reference->attend({0, 1}, rows, {{4, 4, 1}}));
  EXPECT_EQ(forward.lse[0], inputs.sink(1));
  EXPECT_EQ(forward.out, std::vector<double>(16, 0.0));
}

TEST(LowPrecision, ErrorIsThatOfItsDtype) {
  for (const DType dtype : {DType::kFp32, DType::kBf16, DType::kFp16}) {
    Problem problem = small_problem(150);
    problem.dtype = dtype;
    problem.sink = true;
    const Inputs inputs(problem, InputKind::kNormal, 2);
    const Results exact = compute(*make_reference(inputs), inputs), low = compute(*make_low_precision(inputs), inputs);
    const double epsilon = epsilon_of(dtype);
    for (const auto tensor : {&Results::out, &Results::dq, &Results::dk, &Results::dv}) {
      EXPECT_GT(relative_error(low.*tensor, exact.*tensor), epsilon / 20);
      EXPECT_LT(relative_error(low.*tensor, exact.*tensor), epsilon * 4);
    }
    EXPECT_LT(relative_error(low.lse, exact.lse), 1e-6);
    EXPECT_LT(relative_error(low.dsink, exact.dsink), epsilon * 4);
    for (const double value : low.out) ASSERT_EQ(value, round_to(dtype, static_cast<float>(value)));
  }
}

TEST(IndicesWithin, AreThoseOfTheTokensInTheRange) {
  for (const Segment& block : {Segment{5, 7, 3}, Segment{0, 4, 1}, Segment{9, 1, 1}}) {
    for (std::int64_t begin = 0; begin < 30; ++begin) {
      for (std::int64_t end = begin; end < 30; ++end) {
        const TokenRange indices = indices_within(block, {begin, end});
        for (std::int64_t i = 0; i < block.count; ++i) {
          const bool inside = block.at(i) >= begin && block.at(i) < end;
          ASSERT_EQ(inside, i >= indices.begin && i < indices.end);
        }
      }
    }
  }
}

}  // namespace
}  // namespace cpbench
