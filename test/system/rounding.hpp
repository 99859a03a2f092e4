// How far rounding may take a computation from the truth.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "schedule/case.hpp"
#include "validate/input.hpp"

namespace cpbench::test {

/// Errors of a sum's terms. Roundings are independent, so their squares add, unless the terms are all `alike`; what
/// comes from arithmetic may have one sign throughout.
struct ErrorSum {
  bool alike = false;
  double squares = 0, linear = 0;
  void add_rounding(double error) {
    if (alike) {
      linear += std::abs(error);
    } else {
      squares += error * error;
    }
  }
  void add_arithmetic(double error) { linear += error; }
  double total() const { return std::sqrt(squares) + linear; }
};

/// The size of single errors.
class Roundings {
 public:
  Roundings(const Case& c, const Inputs& inputs) : alike_(inputs.kind() == InputKind::kConstant) {
    // A ring position's block is a partial result; so is a Ulysses place's share of a replicated K/V head.
    const double times = c.accumulate == Accumulate::kMerge ? std::sqrt(1 + c.cp_size()) : 1;
    storage_ = epsilon_of(c.problem.dtype) / 2 * times;
    smallest_ = c.problem.dtype == DType::kFp16 ? 0x1p-25 * times : 0x1p-126;
    exponential_ = 4 * kFp32 + epsilon_of(c.problem.dtype) / 64;
  }

  ErrorSum none() const { return {.alike = alike_}; }
  /// Absolute, of a value that is rounded to the dtype, once per partial result; below the dtype's normal numbers it
  /// does not shrink any more.
  double of(double value) const { return storage_ * std::abs(value) + smallest_; }
  /// As above, of the norm of a vector.
  double of_norm(double norm, int dim) const { return storage_ * norm + smallest_ * std::sqrt(dim); }
  /// Relative, of an exponential whose argument is a difference of numbers of this size. Kernels for short dtypes may
  /// take a shorter polynomial.
  double exponential(double argument) const { return exponential_ + 4 * kFp32 * std::abs(argument); }
  /// Relative, of a probability: kernels may take one that is about to be subnormal for 0.
  double underflow(double probability) const { return probability < 0x1p-124 ? 1 : 0; }
  /// Relative to the sum of the terms' magnitudes, of a sum in fp32. Equal terms all round to the same side.
  double sum(std::int64_t terms) const { return kFp32 * (alike_ ? 4 + static_cast<double>(terms) : 4); }
  /// The same for the sum of a softmax, where tiny terms are added to a large one: all that round alike.
  double softmax_sum(std::size_t terms) const { return kFp32 / 2 * static_cast<double>(terms); }

 private:
  static constexpr double kFp32 = 0x1p-23;

  bool alike_;
  double storage_, smallest_, exponential_;
};

}  // namespace cpbench::test
