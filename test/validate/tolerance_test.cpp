#include "validate/tolerance.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "validate/problems.hpp"

namespace cpbench {
namespace {

constexpr ResultTensor kTensors[] = {ResultTensor::kOut, ResultTensor::kLse, ResultTensor::kDq,
                                     ResultTensor::kDk,  ResultTensor::kDv,  ResultTensor::kDsink};

constexpr double kExact = 0;  // a reference that loses nothing

TEST(Tolerance, FloorAllowsOneRoundingAndForbidsAPercent) {
  for (const DType dtype : {DType::kFp32, DType::kBf16, DType::kFp16}) {
    Problem problem = small_problem(1 << 20);
    problem.dtype = dtype;
    for (const ResultTensor tensor : kTensors) {
      const double rounding = tensor == ResultTensor::kLse ? epsilon_of(DType::kFp32) / 2 : epsilon_of(dtype) / 2;
      EXPECT_GE(tolerance_floor(tensor, problem, 20, kExact), rounding);
      EXPECT_LT(tolerance_floor(tensor, problem, 20, kExact), 0.01);
    }
  }
}

TEST(Tolerance, AllowsWhatLargeScoresLoseButNeverEverything) {
  Problem problem = small_problem(1024);
  problem.dtype = DType::kFp32;
  const double few = tolerance_floor(ResultTensor::kDv, problem, 8, kExact),
               many = tolerance_floor(ResultTensor::kDv, problem, 80, kExact);
  EXPECT_GE(many, 80 * epsilon_of(DType::kFp32));
  EXPECT_LT(few, many / 2);
  EXPECT_EQ(tolerance_floor(ResultTensor::kDv, problem, 1e30, kExact), kBlind);
}

TEST(Tolerance, AllowsTheArithmeticOfTheReferenceToo) {
  Problem problem = small_problem(1 << 20);
  for (const ResultTensor tensor : kTensors) {
    problem.dtype = DType::kFp32;
    const double alone = tolerance_floor(tensor, problem, 20, kExact),
                 both = tolerance_floor(tensor, problem, 20, epsilon_of(DType::kFp32));
    EXPECT_GT(both, 1.9 * alone);
    EXPECT_LE(both, 2 * alone);
    problem.dtype = DType::kBf16;
    EXPECT_LT(tolerance_floor(tensor, problem, 20, epsilon_of(DType::kFp32)), 0.01);
  }
}

TEST(Tolerance, FollowsTheLargerNormOfLowPrecision) {
  const Problem problem = small_problem(256);
  ErrorNorms low;
  low.add({0, 0, 0}, std::vector<double>{10}, std::vector<double>{10});
  EXPECT_EQ(tolerance(ResultTensor::kOut, problem, low, 20, kExact),
            tolerance_floor(ResultTensor::kOut, problem, 20, kExact));
  low.add({0, 200, 0}, std::vector<double>{1.25}, std::vector<double>{1});
  EXPECT_DOUBLE_EQ(tolerance(ResultTensor::kOut, problem, low, 20, kExact),
                   kToleranceMultiple * 0.25 + tolerance_floor(ResultTensor::kOut, problem, 20, kExact));
}

}  // namespace
}  // namespace cpbench
