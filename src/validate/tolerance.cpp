#include "validate/tolerance.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "support/names.hpp"

namespace cpbench {
namespace {

constexpr std::array<Named<ResultTensor>, kResultTensors> kNames = {{{ResultTensor::kOut, "out"},
                                                                     {ResultTensor::kLse, "lse"},
                                                                     {ResultTensor::kDq, "dq"},
                                                                     {ResultTensor::kDk, "dk"},
                                                                     {ResultTensor::kDv, "dv"},
                                                                     {ResultTensor::kDsink, "dsink"}}};

}  // namespace

std::string_view name_of(ResultTensor tensor) { return name_in(kNames, tensor); }

double tolerance(ResultTensor tensor, const Problem& problem, const ErrorNorms& low_precision, double largest_lse,
                 double reference_epsilon) {
  return kToleranceMultiple * std::max(low_precision.rel_l2(), low_precision.worst_block()) +
         tolerance_floor(tensor, problem, largest_lse, reference_epsilon);
}

double tolerance_floor(ResultTensor tensor, const Problem& problem, double largest_lse, double reference_epsilon) {
  const double rounding = epsilon_of(problem.dtype) / (tensor == ResultTensor::kLse ? 32 : 2);
  const double terms = static_cast<double>(problem.seq_len) * problem.group();
  const bool cancels = tensor == ResultTensor::kDq || tensor == ResultTensor::kDk;
  const double sums = std::sqrt(terms) * (cancels ? 4 : 0.25);
  const double arithmetic = (epsilon_of(DType::kFp32) + reference_epsilon) * (8 + sums + 4 * largest_lse);
  return std::min(rounding + arithmetic, kBlind);
}

}  // namespace cpbench
