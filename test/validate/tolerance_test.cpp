#include "validate/tolerance.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "validate/problems.hpp"

namespace cpbench {
namespace {

constexpr ResultTensor kTensors[] = {ResultTensor::kOut, ResultTensor::kLse, ResultTensor::kDq,
                                     ResultTensor::kDk,  ResultTensor::kDv,  ResultTensor::kDsink};

TEST(Tolerance, FloorAllowsOneRoundingAndForbidsAPercent) {
  for (const DType dtype : {DType::kFp32, DType::kBf16, DType::kFp16}) {
    Problem problem = small_problem(1 << 20);
    problem.dtype = dtype;
    for (const ResultTensor tensor : kTensors) {
      const double rounding = tensor == ResultTensor::kLse ? epsilon_of(DType::kFp32) / 2 : epsilon_of(dtype) / 2;
      EXPECT_GE(tolerance_floor(tensor, problem), rounding);
      EXPECT_LT(tolerance_floor(tensor, problem), 0.01);
    }
  }
}

TEST(Tolerance, FollowsTheLargerNormOfLowPrecision) {
  const Problem problem = small_problem(256);
  ErrorNorms low;
  low.add({0, 0, 0}, std::vector<double>{10}, std::vector<double>{10});
  EXPECT_EQ(tolerance(ResultTensor::kOut, problem, low), tolerance_floor(ResultTensor::kOut, problem));
  low.add({0, 200, 0}, std::vector<double>{1.25}, std::vector<double>{1});
  EXPECT_DOUBLE_EQ(tolerance(ResultTensor::kOut, problem, low),
                   kToleranceMultiple * 0.25 + tolerance_floor(ResultTensor::kOut, problem));
}

}  // namespace
}  // namespace cpbench
