// The reference of a GPU against the reference of the host.
#include "validate/cuda/cublas_reference.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "relative_error.hpp"
#include "validate/check.hpp"
#include "validate/device_reference.hpp"
#include "validate/host_reference.hpp"
#include "validate/in_process_collective.hpp"
#include "validate/job.hpp"
#include "validate/problems.hpp"
#include "validate/tolerance.hpp"
#include "vgpu/support/orders.hpp"

namespace cpbench {
namespace {

/// Blocks that divide nothing.
constexpr CublasOptions kSmallBlocks{.block_rows = 7, .block_columns = 5};

void expect_near(const std::vector<double>& values, const std::vector<double>& expected, ResultTensor tensor,
                 Problem problem, double largest_lse) {
  problem.dtype = DType::kFp32;
  EXPECT_LE(relative_error(values, expected), tolerance_floor(tensor, problem, largest_lse, 0)) << name_of(tensor);
}

/// Gradients of sinks are made from out and lse on the host.
void expect_same(const Inputs& inputs, const CublasOptions& options) {
  const Results expected = compute(*make_reference(inputs), inputs),
                found = compute(*make_cublas_reference(inputs, options), inputs);
  const double largest_lse =
      std::abs(*std::ranges::max_element(expected.lse, {}, [](double lse) { return std::abs(lse); }));
  const auto expect = [&](ResultTensor tensor, std::vector<double> Results::*values) {
    expect_near(found.*values, expected.*values, tensor, inputs.problem(), largest_lse);
  };
  expect(ResultTensor::kOut, &Results::out);
  expect(ResultTensor::kLse, &Results::lse);
  expect(ResultTensor::kDq, &Results::dq);
  expect(ResultTensor::kDk, &Results::dk);
  expect(ResultTensor::kDv, &Results::dv);
}

TEST(CublasReference, IsThatOfTheHost) {
  for (const Problem& problem : small_problems()) {
    for (const InputKind kind : {InputKind::kNormal, InputKind::kLargeLogits}) {
      const Inputs inputs(problem, kind, 3);
      SCOPED_TRACE(to_string(problem.mask) + " " + std::string(name_of(kind)));
      expect_same(inputs, {});
      expect_same(inputs, kSmallBlocks);
    }
  }
}

Problem random_problem(std::mt19937& random) {
  const auto below = [&](int bound) { return static_cast<int>(random() % static_cast<unsigned>(bound)); };
  const std::int64_t length = 1 + below(60);
  Problem problem = small_problem(length, below(2) == 0 ? Mask::causal() : Mask::window(below(20), below(20)));
  problem.kv_heads = 1 + below(2);
  problem.heads = problem.kv_heads * (1 + below(3));
  problem.head_dim = 8 * (1 + below(5));
  problem.head_dim_v = 8 * (1 + below(5));
  problem.sink = below(2) == 0;
  const std::int64_t first = below(static_cast<int>(length));
  if (first > 0) problem.documents = Documents::from_lengths(std::vector<std::int64_t>{first, length - first}, length);
  return problem;
}

TEST(CublasReference, IsThatOfTheHostForAnyShapeAndBlocks) {
  std::mt19937 random(1);
  for (int i = 0; i < 15; ++i) {
    SCOPED_TRACE(i);
    const Problem problem = random_problem(random);
    const CublasOptions options{.threads = 1 + i % 3,
                                .block_rows = 1 + static_cast<int>(random() % 40),
                                .block_columns = 1 + static_cast<int>(random() % 40)};
    expect_same(Inputs(problem, InputKind::kNormal, static_cast<std::uint64_t>(i)), options);
  }
}

TEST(CublasReference, IsTheSameInEveryOrder) {
  const Inputs inputs(small_problems().back(), InputKind::kNormal, 3);
  vgpu::in_every_order([&] { expect_same(inputs, kSmallBlocks); }, 2);
}

/// What a rank of a sampled check asks for: some rows, and a share of the other side.
TEST(CublasReference, ServesSomeRowsAndPartsOfTheOthers) {
  Problem problem = small_problem(90, Mask::window(40, 3));
  problem.kv_heads = 1;
  const Inputs inputs(problem, InputKind::kNormal, 3);
  const auto host = make_reference(inputs), device = make_cublas_reference(inputs, kSmallBlocks);
  const HeadGroup group{0, 0};
  const Tokens part = {{5, 18, 3}, {70, 9, 1}};
  const std::vector<std::int64_t> tokens = {0, 13, 44, 89};
  std::vector<QueryRow> rows, all_rows;
  for (const std::int64_t token : tokens) rows.push_back({token, static_cast<int>(token % 2)});
  for (int head = 0; head < 2; ++head) {
    for (const std::int64_t token : expand(part)) all_rows.push_back({token, head});
  }
  const ForwardRows expected = finish(*host, inputs, rows, host->attend(group, rows, part)),
                    found = finish(*device, inputs, rows, device->attend(group, rows, part));
  expect_near(found.out, expected.out, ResultTensor::kOut, problem, 5);
  expect_near(found.lse, expected.lse, ResultTensor::kLse, problem, 5);
  EXPECT_EQ(found.lse[0], -std::numeric_limits<double>::infinity());  // token 0 sees no key of the part
  const RowStatistics own = statistics_of(*host, inputs, group, all_rows,
                                          finish(*host, inputs, all_rows, host->attend(group, all_rows, {{0, 90, 1}})));
  const RowStatistics sampled =
      statistics_of(*host, inputs, group, rows, finish(*host, inputs, rows, host->attend(group, rows, {{0, 90, 1}})));
  const QueryGradients queries = device->query_gradients(group, rows, sampled, part),
                       expected_queries = host->query_gradients(group, rows, sampled, part);
  expect_near(queries.dq, expected_queries.dq, ResultTensor::kDq, problem, 5);
  expect_near(queries.spread2, expected_queries.spread2, ResultTensor::kDq, problem, 5);
  const KeyGradients keys = device->key_gradients(group, tokens, own, part),
                     expected_keys = host->key_gradients(group, tokens, own, part);
  expect_near(keys.dk, expected_keys.dk, ResultTensor::kDk, problem, 5);
  expect_near(keys.dv, expected_keys.dv, ResultTensor::kDv, problem, 5);
  expect_near(keys.spread2, expected_keys.spread2, ResultTensor::kDk, problem, 5);
}

TEST(CublasReference, ALargeLogitDoesNotOverflow) {
  Problem problem = small_problem(40);
  problem.scale = 100;
  const Inputs inputs(problem, InputKind::kLargeLogits, 3);
  const Results results = compute(*make_cublas_reference(inputs, kSmallBlocks), inputs);
  EXPECT_GT(*std::ranges::max_element(results.lse), 1000);
  for (const auto* tensor : {&results.out, &results.dq, &results.dk, &results.dv}) {
    for (const double value : *tensor) ASSERT_TRUE(std::isfinite(value));
  }
}

/// Checks what one rank holds against the registered reference.
ValidationReport check_against_device(const Inputs& inputs, const Results& results, const CheckMode& mode) {
  const Tokens tokens = {{0, inputs.problem().seq_len, 1}};
  RankResults held(inputs, results, tokens);
  SingleProcess alone;
  const auto reference = device_references().front().make(inputs, /*device=*/0, /*threads=*/1);
  return check_results(inputs, *reference, {.mode = mode}, tokens, held.local(), alone);
}

constexpr CheckMode kFull{CheckMode::Kind::kFull}, kSample{CheckMode::Kind::kSample, 20};

TEST(CublasReference, AcceptsWhatOneDeviceComputes) {
  for (Problem problem : small_problems()) {
    for (const DType dtype : {DType::kFp32, DType::kBf16, DType::kFp16}) {
      problem.dtype = dtype;
      for (const InputKind kind : {InputKind::kNormal, InputKind::kLargeLogits, InputKind::kConstant}) {
        const Inputs inputs(problem, kind, 1);
        for (const CheckMode& mode : {kFull, kSample}) {
          const ValidationReport report =
              check_against_device(inputs, compute(*make_low_precision(inputs), inputs), mode);
          EXPECT_TRUE(report.passed) << report.reason();
          EXPECT_TRUE(report.reference.starts_with("cublas-")) << report.reference;
        }
      }
    }
  }
}

TEST(CublasReference, NamesTheTensorThatIsWrong) {
  for (const DType dtype : {DType::kFp32, DType::kBf16}) {
    Problem problem = small_problems().back();
    problem.dtype = dtype;
    const Inputs inputs(problem, InputKind::kNormal, 1);
    const Results results = compute(*make_low_precision(inputs), inputs);
    const auto expect_caught = [&](std::string_view tensor, std::vector<double> Results::*values) {
      Results wrong = results;
      for (double& value : wrong.*values) value *= 1.05;
      for (const CheckMode& mode : {kFull, kSample}) {
        const ValidationReport report = check_against_device(inputs, wrong, mode);
        EXPECT_FALSE(tensor_of(report, tensor).passed) << tensor << " " << report.reference;
      }
    };
    expect_caught("out", &Results::out);
    expect_caught("lse", &Results::lse);
    expect_caught("dq", &Results::dq);
    expect_caught("dk", &Results::dk);
    expect_caught("dv", &Results::dv);
    expect_caught("dsink", &Results::dsink);
  }
}

}  // namespace
}  // namespace cpbench
