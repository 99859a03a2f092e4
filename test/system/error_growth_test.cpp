// With the state carried in fp32 the error does not grow with the ring; with partial results in bf16 it does.
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "backend/kernel.hpp"
#include "relative_error.hpp"
#include "system/expectation.hpp"
#include "system/test_case.hpp"

namespace cpbench::test {
namespace {

struct Errors {
  double out, dq, dk, dv;
};

class ErrorGrowth : public testing::TestWithParam<std::string> {
 protected:
  ErrorGrowth() {
    Problem& p = t_.c.problem;
    p = {.seq_len = 512, .heads = 2, .kv_heads = 2, .head_dim = 32, .head_dim_v = 32, .dtype = DType::kBf16};
    p.mask = Mask::full();
    p.documents = Documents::whole(p.seq_len);
    p.scale = 1 / std::sqrt(32.0);
    t_.c.algorithm = find_algorithm("ring");
    t_.c.shard = ShardKind::kContiguous;
    t_.seed = 1;
    t_.kernel = GetParam();
    exact_ = expect(t_.c, t_.inputs()).exact;
  }

  Errors errors(int ranks, Accumulate accumulate) {
    t_.c.grid = {.inner = ranks};
    t_.c.accumulate = accumulate;
    const Results results = run_once(t_, t_.options());
    return {relative_error(results.out.values, exact_.out.values), relative_error(results.dq.values, exact_.dq.values),
            relative_error(results.dk.values, exact_.dk.values), relative_error(results.dv.values, exact_.dv.values)};
  }

  TestCase t_;
  Results exact_;
};

TEST_P(ErrorGrowth, FusedAccumulationIsFlat) {
  // A tensor has 32,768 elements, but those of a row share the roundings of its P; and P of the highest score among the
  // keys that a row meets first is 1, exactly: the shorter the first step, the less often that is the largest of all.
  // Partial results that are rounded add half as much again from one rank to sixteen.
  constexpr double kNoise = 0.05;
  const Errors one = errors(1, Accumulate::kFused);
  for (const int ranks : {2, 4, 8, 16}) {
    const Errors many = errors(ranks, Accumulate::kFused);
    EXPECT_NEAR(many.out / one.out, 1, kNoise) << ranks << " ranks";
    EXPECT_NEAR(many.dq / one.dq, 1, kNoise) << ranks << " ranks";
    EXPECT_NEAR(many.dk / one.dk, 1, kNoise) << ranks << " ranks";
    EXPECT_NEAR(many.dv / one.dv, 1, kNoise) << ranks << " ranks";
  }
}

TEST_P(ErrorGrowth, MergingGrowsWithTheRing) {
  double before = errors(1, Accumulate::kMerge).out;
  for (const int ranks : {2, 4, 8, 16}) {
    const double error = errors(ranks, Accumulate::kMerge).out;
    EXPECT_GT(error, 1.1 * before) << ranks << " ranks";
    before = error;
  }
}

INSTANTIATE_TEST_SUITE_P(Kernels, ErrorGrowth, testing::ValuesIn(kernel_names()),
                         [](const auto& instance) { return instance.param; });

}  // namespace
}  // namespace cpbench::test
