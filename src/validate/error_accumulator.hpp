// Collects the errors of all tensors, row by row, and judges them.
#pragma once

#include <array>
#include <span>
#include <string>

#include "problem/problem.hpp"
#include "support/collective.hpp"
#include "validate/norms.hpp"
#include "validate/report.hpp"
#include "validate/tolerance.hpp"
#include "validate/wrong_rows.hpp"

namespace cpbench {

/// What a row should be: exactly, and as a single device in the problem's dtype computes it.
struct ExpectedRow {
  std::span<const double> exact, low_precision;
  double least_square = 0;  ///< see ErrorNorms::add
};

class ErrorAccumulator {
 public:
  /// `reference_epsilon`: see SingleDevice::epsilon.
  ErrorAccumulator(const Problem& problem, double reference_epsilon)
      : problem_(problem), reference_epsilon_(reference_epsilon) {}
  void add(ResultTensor tensor, const RowId& id, std::span<const double> found, const ExpectedRow& expected);
  /// Collective: the verdict on all rows of all ranks. Tensors of which no rank has added a row are left out.
  ValidationReport report(std::string reference, const Collective& collective);

 private:
  struct Errors {
    ErrorNorms found, low_precision;
    RowErrors rows;
  };
  TensorReport judge(ResultTensor tensor, const Errors& errors, const Collective& collective) const;

  const Problem& problem_;
  double reference_epsilon_;
  std::array<Errors, kResultTensors> errors_;
  double largest_lse_ = 0;  ///< |lse| of the rows added: what their scores are made of
};

}  // namespace cpbench
