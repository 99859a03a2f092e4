#include "validate/error_accumulator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

namespace cpbench {
namespace {

/// Where the first wrong row is, with its channel that is no number, or the worst.
std::string place_of(ResultTensor tensor, const CheckedRow& row) {
  const RowId& id = row.id;
  if (tensor == ResultTensor::kDsink) return fmt::format("head {}", id.head);
  const std::string place = fmt::format("batch {}, token {}, head {}", id.batch, id.token, id.head);
  return tensor == ResultTensor::kLse ? place : fmt::format("{}, channel {}", place, row.error.channel);
}

std::string extent_of(ResultTensor tensor, const WrongRows& wrong) {
  return tensor == ResultTensor::kDsink ? fmt::format("{} of {} heads", wrong.count(), wrong.checked) : wrong.text();
}

/// Of rows that are no numbers.
std::string describe_not_numbers(ResultTensor tensor, const WrongRows& wrong) {
  const RowError& error = wrong.first.error;
  const std::string place = place_of(tensor, wrong.first);
  const std::string extent = wrong.count() == 1 ? "" : "; in " + extent_of(tensor, wrong);
  if (!std::isnan(error.value)) {
    return fmt::format("{} is {:g} at {}, its reference {:g}{}", name_of(tensor), error.value, place, error.reference,
                       extent);
  }
  return fmt::format("NaN in {} at {}{}{}", name_of(tensor), place,
                     std::isnan(error.reference) ? ", and in its reference too" : "", extent);
}

/// Of rows that are too far off.
std::string describe_beyond(ResultTensor tensor, const WrongRows& wrong) {
  const RowError& error = wrong.first.error;
  return fmt::format("{}; first at {}: {:.6g} instead of {:.6g}", extent_of(tensor, wrong),
                     place_of(tensor, wrong.first), error.value, error.reference);
}

/// Results of the forward pass that the kernel computes a gradient from: probabilities from lse, delta from out.
std::vector<std::string_view> makers_of(std::string_view tensor) {
  if (tensor == name_of(ResultTensor::kOut) || tensor == name_of(ResultTensor::kLse)) return {};
  if (tensor == name_of(ResultTensor::kDv)) return {name_of(ResultTensor::kLse)};
  return {name_of(ResultTensor::kOut), name_of(ResultTensor::kLse)};
}

/// Says of gradients that failed which wrong results they are computed from.
void note_wrong_makers(std::vector<TensorReport>& tensors) {
  const auto has_failed = [&](std::string_view name) {
    return std::ranges::any_of(tensors, [&](const TensorReport& t) { return t.tensor == name && !t.passed; });
  };
  for (TensorReport& report : tensors) {
    if (report.passed) continue;
    std::vector<std::string_view> wrong = makers_of(report.tensor);
    std::erase_if(wrong, [&](std::string_view name) { return !has_failed(name); });
    if (wrong.empty()) continue;
    report.note +=
        fmt::format("; it is computed from {}, which failed: mend the forward pass first", fmt::join(wrong, " and "));
  }
}

}  // namespace

void ErrorAccumulator::add(ResultTensor tensor, const RowId& id, std::span<const double> found,
                           const ExpectedRow& expected) {
  Errors& errors = errors_[static_cast<std::size_t>(tensor)];
  errors.rows.add(id, errors.found.add(id, found, expected.exact, expected.least_square));
  errors.low_precision.add(id, expected.low_precision, expected.exact, expected.least_square);
  if (tensor == ResultTensor::kLse && std::isfinite(expected.exact[0])) {
    largest_lse_ = std::max(largest_lse_, std::abs(expected.exact[0]));
  }
}

ValidationReport ErrorAccumulator::report(std::string reference, const Collective& collective) {
  ValidationReport report{.reference = std::move(reference)};
  collective.max({&largest_lse_, 1});
  for (std::size_t i = 0; i < errors_.size(); ++i) {
    errors_[i].found.join(collective);
    errors_[i].low_precision.join(collective);
    if (errors_[i].found.empty()) continue;
    report.tensors.push_back(judge(static_cast<ResultTensor>(i), errors_[i], collective));
  }
  note_wrong_makers(report.tensors);
  report.passed =
      std::all_of(report.tensors.begin(), report.tensors.end(), [](const auto& tensor) { return tensor.passed; });
  return report;
}

TensorReport ErrorAccumulator::judge(ResultTensor tensor, const Errors& errors, const Collective& collective) const {
  const ErrorNorms& found = errors.found;
  TensorReport report{.tensor = std::string(name_of(tensor)),
                      .max_abs = found.max_abs(),
                      .rel_l2 = found.rel_l2(),
                      .worst_block_rel = found.worst_block(),
                      .tolerance = tolerance(tensor, problem_, errors.low_precision, largest_lse_, reference_epsilon_)};
  if (const WrongRows wrong = errors.rows.not_numbers(problem_, collective); wrong.count() > 0) {
    report.max_abs = report.rel_l2 = report.worst_block_rel = std::numeric_limits<double>::quiet_NaN();
    report.note = describe_not_numbers(tensor, wrong);
  } else if (report.rel_l2 > report.tolerance || report.worst_block_rel > report.tolerance) {
    report.note = describe_beyond(tensor, errors.rows.beyond(report.tolerance, problem_, collective));
    if (const auto factor = found.factor(report.tolerance)) {
      report.note = fmt::format("{:.6g} times the reference; {}", *factor, report.note);
    }
    if (tensor != ResultTensor::kDsink) report.note += "; worst block: " + found.worst_block_name(problem_.seq_len);
  } else {
    report.passed = true;
  }
  return report;
}

}  // namespace cpbench
