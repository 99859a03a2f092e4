#include "validate/error_accumulator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace cpbench {
namespace {

std::string describe(ResultTensor tensor, const ErrorNorms::Defect& defect) {
  const RowId& row = defect.row;
  const std::string place = tensor == ResultTensor::kDsink
                                ? fmt::format("head {}", row.head)
                                : fmt::format("batch {}, token {}, head {}", row.batch, row.token, row.head);
  if (!std::isnan(defect.value)) {
    return fmt::format("{} is {:g} at {}, its reference {:g}", name_of(tensor), defect.value, place, defect.reference);
  }
  return fmt::format("NaN in {} at {}{}", name_of(tensor), place,
                     std::isnan(defect.reference) ? ", and in its reference too" : "");
}

}  // namespace

void ErrorAccumulator::add(ResultTensor tensor, const RowId& id, std::span<const double> found,
                           const ExpectedRow& expected) {
  Norms& norms = norms_[static_cast<std::size_t>(tensor)];
  norms.found.add(id, found, expected.exact, expected.least_square);
  norms.low_precision.add(id, expected.low_precision, expected.exact, expected.least_square);
  if (tensor == ResultTensor::kLse && std::isfinite(expected.exact[0])) {
    largest_lse_ = std::max(largest_lse_, std::abs(expected.exact[0]));
  }
}

ValidationReport ErrorAccumulator::report(std::string reference, Collective& collective) {
  ValidationReport report{.reference = std::move(reference)};
  collective.max({&largest_lse_, 1});
  for (std::size_t i = 0; i < norms_.size(); ++i) {
    norms_[i].found.join(collective);
    norms_[i].low_precision.join(collective);
    if (!norms_[i].found.empty()) report.tensors.push_back(judge(static_cast<ResultTensor>(i), norms_[i]));
  }
  report.passed =
      std::all_of(report.tensors.begin(), report.tensors.end(), [](const auto& tensor) { return tensor.passed; });
  return report;
}

TensorReport ErrorAccumulator::judge(ResultTensor tensor, const Norms& norms) const {
  TensorReport report{.tensor = std::string(name_of(tensor)),
                      .max_abs = norms.found.max_abs(),
                      .rel_l2 = norms.found.rel_l2(),
                      .worst_block_rel = norms.found.worst_block(),
                      .tolerance = tolerance(tensor, problem_, norms.low_precision, largest_lse_, reference_epsilon_)};
  if (norms.found.defect()) {
    report.max_abs = report.rel_l2 = report.worst_block_rel = std::numeric_limits<double>::quiet_NaN();
    report.note = describe(tensor, *norms.found.defect());
  } else if (report.rel_l2 > report.tolerance || report.worst_block_rel > report.tolerance) {
    report.note = "worst block: " + norms.found.worst_block_name(problem_.seq_len);
  } else {
    report.passed = true;
  }
  return report;
}

}  // namespace cpbench
