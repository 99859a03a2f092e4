// How large an error may be.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "problem/problem.hpp"
#include "validate/norms.hpp"

namespace cpbench {

/// The tensors that are checked.
enum class ResultTensor : std::uint8_t { kOut, kLse, kDq, kDk, kDv, kDsink };
inline constexpr std::size_t kResultTensors = 6;
std::string_view name_of(ResultTensor tensor);  ///< `out`, `lse`, `dq`, `dk`, `dv`, `dsink`

/// FlashAttention's own tests allow 2 for out and 3 for gradients. Two computations that round at different places have
/// errors of the same size but not the same errors; in small tensors their ratio comes near 2.
inline constexpr double kToleranceMultiple = 3;

/// Bound of rel_l2 and of worst_block: kToleranceMultiple times the larger of the two norms of what one device makes
/// in the same dtype, plus tolerance_floor.
double tolerance(ResultTensor tensor, const Problem& problem, const ErrorNorms& low_precision, double largest_lse,
                 double reference_epsilon);

/// What is allowed where that error is zero, or happens to be small: one rounding to the dtype, epsilon / 2 (lse, which
/// no dtype rounds but fp32, epsilon / 32: kernels for short dtypes may have a shorter exponential), and fp32
/// arithmetic, epsilon_of(fp32) times
///  - 8 + sqrt(n) / 4, for sums of n terms in any order; 4 sqrt(n) for dq and dk, whose terms dP - delta cancel: where
///    keys are alike, as in constant inputs, the rounding of delta is an error that all terms share;
///  - 4 |lse|, for the largest of the checked rows: a score s has an error of epsilon |s| wherever its scale is
///    applied, and exp makes that a relative error.
/// The reference's own arithmetic loses the same with its own epsilon: nothing in fp64, and in fp32 as much once more,
/// as its errors are not those of the results.
/// At most kBlind in all: a check that allows more would see nothing.
double tolerance_floor(ResultTensor tensor, const Problem& problem, double largest_lse, double reference_epsilon);
inline constexpr double kBlind = 0.1;

}  // namespace cpbench
