#include "validate/check.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "validate/host_reference.hpp"
#include "validate/job.hpp"
#include "validate/problems.hpp"

namespace cpbench {
namespace {

constexpr CheckMode kFull = {CheckMode::Kind::kFull};
constexpr CheckMode sample(std::int64_t rows) { return {CheckMode::Kind::kSample, rows}; }

Results low_precision_results(const Inputs& inputs) { return compute(*make_low_precision(inputs), inputs); }

/// Long enough for several blocks, with everything that can be wrong.
Problem rich_problem() {
  Problem problem = small_problem(500);
  problem.batch = 2;
  problem.heads = 4;
  problem.head_dim_v = 8;
  problem.dtype = DType::kBf16;
  problem.sink = true;
  return problem;
}

TEST(Check, AcceptsWhatOneDeviceComputes) {
  for (Problem problem : small_problems()) {
    for (const DType dtype : {DType::kFp32, DType::kBf16, DType::kFp16}) {
      problem.dtype = dtype;
      problem.layout = dtype == DType::kBf16 ? Layout::kBhsd : Layout::kSbhd;
      for (const InputKind kind :
           {InputKind::kNormal, InputKind::kLargeLogits, InputKind::kOutlier, InputKind::kConstant}) {
        const Inputs inputs(problem, kind, 1);
        const Results results = low_precision_results(inputs);
        for (const auto& shards : {contiguous_shards(problem.seq_len, 1), zigzag_shards(problem.seq_len, 3),
                                   striped_shards(problem.seq_len, 2)}) {
          for (const CheckMode& mode : {kFull, sample(10)}) {
            const ValidationReport report = check_job(inputs, results, shards, {.mode = mode});
            EXPECT_TRUE(report.passed) << report.reason();
            EXPECT_EQ(report.tensors.size(), problem.sink ? 6u : 5u);
          }
        }
      }
    }
  }
}

TEST(Check, AcceptsExactResultsWithErrorsOfTheDtypeAlone) {
  // Where results are the fp64 ones, stored in fp32, sums over ranks must not lose more.
  Problem problem = rich_problem();
  problem.dtype = DType::kFp32;
  const Inputs inputs(problem, InputKind::kNormal, 1);
  const Results results = compute(*make_reference(inputs), inputs);
  for (const CheckMode& mode : {kFull, sample(40)}) {
    const ValidationReport report = check_job(inputs, results, zigzag_shards(problem.seq_len, 3), {.mode = mode});
    EXPECT_TRUE(report.passed) << report.reason();
    for (const TensorReport& tensor : report.tensors) {
      EXPECT_LT(tensor.rel_l2, 2e-7) << report.reference << " " << tensor.tensor;
      EXPECT_GT(tensor.rel_l2, 1e-9) << report.reference << " " << tensor.tensor;
    }
  }
}

TEST(Check, ASampleOfAllRowsFindsWhatTheFullCheckFinds) {
  Problem problem = small_problem(150);
  problem.heads = problem.kv_heads = 1;
  problem.dtype = DType::kBf16;
  const Inputs inputs(problem, InputKind::kNormal, 1);
  const Results results = low_precision_results(inputs);
  const auto shards = striped_shards(problem.seq_len, 2);
  const ValidationReport full = check_job(inputs, results, shards, {.mode = kFull});
  const ValidationReport all = check_job(inputs, results, shards, {.mode = sample(3000)});
  EXPECT_EQ(all.reference, "fp64-sample:150");
  for (const char* name : {"out", "lse", "dq"}) {
    EXPECT_NEAR(tensor_of(all, name).rel_l2 / tensor_of(full, name).rel_l2, 1, 1e-6) << name;
    EXPECT_NEAR(tensor_of(all, name).worst_block_rel / tensor_of(full, name).worst_block_rel, 1, 1e-6) << name;
  }
  for (const char* name : {"dk", "dv"}) {  // from the saved lse and out, which excuses their errors
    EXPECT_NEAR(tensor_of(all, name).rel_l2 / tensor_of(full, name).rel_l2, 1, 0.3) << name;
  }
}

struct Fault {
  const char* tensor;
  std::function<void(Results&)> plant;
};

template <typename Change>
void change_rows(std::vector<double>& tensor, std::size_t row_size, std::size_t begin, std::size_t count,
                 Change change) {
  std::for_each(tensor.begin() + static_cast<std::ptrdiff_t>(begin * row_size),
                tensor.begin() + static_cast<std::ptrdiff_t>((begin + count) * row_size), change);
}

/// Faults in the second sequence of rich_problem(): 4 query heads, 2 K/V heads.
std::vector<Fault> faults() {
  constexpr std::size_t kTokens = 500, kLast = 2 * kTokens - 20;
  const auto zero = [](double& value) { value = 0; };
  return {
      {"out", [=](Results& r) { change_rows(r.out, 32, kLast, 20, zero); }},
      {"out", [=](Results& r) { change_rows(r.out, 32, kTokens, kTokens, [](double& v) { v *= 1.05; }); }},
      {"out", [=](Results& r) { std::rotate(r.out.begin(), r.out.begin() + 32, r.out.end()); }},
      {"lse", [=](Results& r) { change_rows(r.lse, 4, kTokens, kTokens, [](double& v) { v += 0.05; }); }},
      {"lse",
       [=](Results& r) {
         change_rows(r.lse, 4, 2 * kTokens - 1, 1, [](double& v) { v = -std::numeric_limits<double>::infinity(); });
       }},
      {"dq", [=](Results& r) { change_rows(r.dq, 64, kLast, 20, zero); }},
      {"dk", [=](Results& r) { change_rows(r.dk, 32, kTokens, kTokens, [](double& v) { v *= 2; }); }},
      {"dv", [=](Results& r) { change_rows(r.dv, 16, kLast, 20, zero); }},
      {"dsink", [=](Results& r) { change_rows(r.dsink, 1, 0, 4, zero); }},
  };
}

TEST(Check, NamesTheTensorThatIsWrong) {
  const Inputs inputs(rich_problem(), InputKind::kNormal, 1);
  const Results results = low_precision_results(inputs);
  for (const Fault& fault : faults()) {
    Results wrong = results;
    fault.plant(wrong);
    for (const CheckMode& mode : {kFull, sample(60)}) {
      const ValidationReport report = check_job(inputs, wrong, zigzag_shards(500, 2), {.mode = mode, .workers = 2});
      EXPECT_FALSE(report.passed) << fault.tensor << " " << report.reference;
      EXPECT_FALSE(tensor_of(report, fault.tensor).passed) << fault.tensor << " " << report.reference;
      EXPECT_TRUE(report.reason().starts_with(fault.tensor)) << report.reason();
    }
  }
}

TEST(Check, FindsZeroedRowsInALongTensor) {
  Problem problem = small_problem(20000, Mask::window(40, 0));
  problem.heads = problem.kv_heads = 1;
  problem.dtype = DType::kBf16;
  const Inputs inputs(problem, InputKind::kNormal, 1);
  Results results = low_precision_results(inputs);
  const auto shards = contiguous_shards(problem.seq_len, 2);
  for (const CheckMode& mode : {kFull, sample(20)}) {
    EXPECT_TRUE(check_job(inputs, results, shards, {.mode = mode}).passed);
  }
  std::fill(results.out.end() - 128 * 16, results.out.end(), 0.0);
  const ValidationReport full = check_job(inputs, results, shards, {.mode = kFull});
  EXPECT_LT(tensor_of(full, "out").rel_l2, 0.1);
  EXPECT_GT(tensor_of(full, "out").worst_block_rel, 0.5);
  EXPECT_NE(tensor_of(full, "out").note.find("tokens 19"), std::string::npos) << tensor_of(full, "out").note;
  EXPECT_FALSE(tensor_of(check_job(inputs, results, shards, {.mode = sample(20)}), "out").passed);
}

TEST(Check, ReportsANanInTheResults) {
  const Inputs inputs(rich_problem(), InputKind::kNormal, 1);
  Results results = low_precision_results(inputs);
  const std::size_t row = (500 + 499) * 4 + 3;  // batch 1, the last token, head 3
  results.out[row * 8 + 5] = std::numeric_limits<double>::quiet_NaN();
  const ValidationReport report = check_job(inputs, results, striped_shards(500, 3), {.mode = kFull});
  EXPECT_FALSE(report.passed);
  EXPECT_TRUE(std::isnan(tensor_of(report, "out").rel_l2));
  EXPECT_TRUE(std::isfinite(tensor_of(report, "out").tolerance));
  EXPECT_EQ(tensor_of(report, "out").note, "NaN in out at batch 1, token 499, head 3, channel 5");
  EXPECT_TRUE(tensor_of(report, "lse").passed);
}

TEST(Check, ReportsANanBeforeTheNormsOfOtherTensors) {
  const Inputs inputs(rich_problem(), InputKind::kNormal, 1);
  Results results = low_precision_results(inputs);
  change_rows(results.out, 32, 0, 1000, [](double& value) { value *= 1.05; });
  results.dv[16 * 7] = std::numeric_limits<double>::infinity();
  const ValidationReport report = check_job(inputs, results, zigzag_shards(500, 2), {.mode = kFull});
  EXPECT_FALSE(tensor_of(report, "out").passed);
  EXPECT_TRUE(report.reason().starts_with("dv is inf at batch 0, token 7, head 0")) << report.reason();
}

TEST(Check, ReportsANanInTheInputs) {
  const Inputs inputs(rich_problem(), InputKind::kNan, 1);
  const Results results = low_precision_results(inputs);
  for (const CheckMode& mode : {kFull, sample(12)}) {
    const ValidationReport report = check_job(inputs, results, contiguous_shards(500, 2), {.mode = mode});
    EXPECT_FALSE(report.passed) << report.reference;
    EXPECT_NE(report.reason().find("NaN in out at batch 0, token 250, head "), std::string::npos) << report.reason();
    EXPECT_NE(report.reason().find("in its reference too"), std::string::npos) << report.reason();
  }
}

TEST(Check, ForwardAloneHasNoGradients) {
  const Inputs inputs(rich_problem(), InputKind::kNormal, 1);
  const Results results = low_precision_results(inputs);
  const auto forget_gradients = [](int, LocalResults& local) { local = {.out = local.out, .lse = local.lse}; };
  for (const CheckMode& mode : {kFull, sample(8)}) {
    const ValidationReport report =
        check_job(inputs, results, zigzag_shards(500, 2), {.mode = mode, .pass = Pass::kForward}, forget_gradients);
    EXPECT_TRUE(report.passed) << report.reason();
    EXPECT_EQ(report.tensors.size(), 2u);
  }
}

TEST(Check, RanksWithoutTokensTakePart) {
  const Problem problem = small_problem(3);
  const Inputs inputs(problem, InputKind::kNormal, 1);
  const Results results = low_precision_results(inputs);
  for (const CheckMode& mode : {kFull, sample(2)}) {
    const ValidationReport report = check_job(inputs, results, zigzag_shards(3, 4), {.mode = mode});
    EXPECT_TRUE(report.passed) << report.reason();
  }
}

TEST(Check, OneTokenHasNoGradientAndPasses) {
  for (const DType dtype : {DType::kFp32, DType::kBf16}) {
    Problem problem = small_problem(1);
    problem.dtype = dtype;
    const Inputs inputs(problem, InputKind::kNormal, 1);
    for (const CheckMode& mode : {kFull, sample(1)}) {
      Results results = low_precision_results(inputs);
      EXPECT_TRUE(check_job(inputs, results, contiguous_shards(1, 1), {.mode = mode}).passed);
      results.dq[3] = 0.1;
      EXPECT_FALSE(check_job(inputs, results, contiguous_shards(1, 1), {.mode = mode}).passed);
    }
  }
}

TEST(Check, TokensMustPartitionTheSequence) {
  const Problem problem = small_problem(16);
  const Inputs inputs(problem, InputKind::kNormal, 1);
  const Results results = low_precision_results(inputs);
  const std::vector<Tokens> doubled = {{{0, 8, 1}}, {{7, 8, 1}}}, missing = {{{0, 8, 1}}, {{9, 7, 1}}};
  EXPECT_THROW(check_job(inputs, results, doubled, {.mode = kFull}), std::logic_error);
  EXPECT_THROW(check_job(inputs, results, missing, {.mode = kFull}), std::logic_error);
  EXPECT_THROW(check_job(inputs, results, missing, {.mode = sample(4)}), std::logic_error);
}

}  // namespace
}  // namespace cpbench
