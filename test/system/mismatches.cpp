#include "system/mismatches.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

namespace cpbench::test {
namespace {

struct RowError {
  std::int64_t batch = 0, row = 0, head = 0;
  double error = 0, tolerance = 0;

  /// Above 1 is too much; NaN is infinitely too much.
  double ratio() const {
    if (std::isnan(error)) return std::numeric_limits<double>::infinity();
    return error == 0 ? 0 : error / tolerance;
  }
};

/// Calls visit(RowError) for every row of a tensor.
template <typename Visit>
void for_rows(const Dense& exact, const Dense& tolerance, const Dense& measured, Visit&& visit) {
  for (std::int64_t b = 0; b < exact.batch; ++b) {
    for (std::int64_t row = 0; row < exact.rows; ++row) {
      for (std::int64_t head = 0; head < exact.heads; ++head) {
        const double *x = measured.at(b, row, head), *truth = exact.at(b, row, head);
        double squares = 0;
        for (std::int64_t i = 0; i < exact.dim; ++i) squares += (x[i] - truth[i]) * (x[i] - truth[i]);
        visit(RowError{b, row, head, std::sqrt(squares), *tolerance.at(b, row, head)});
      }
    }
  }
}

/// Calls visit(name, exact, tolerance, measured) for every tensor that a pass writes.
template <typename Visit>
void for_tensors(const Case& c, const Expectation& e, const Results& results, Visit&& visit) {
  visit("out", e.exact.out, e.tolerance.out, results.out);
  visit("lse", e.exact.lse, e.tolerance.lse, results.lse);
  if (c.pass == Pass::kForward) return;
  visit("dq", e.exact.dq, e.tolerance.dq, results.dq);
  visit("dk", e.exact.dk, e.tolerance.dk, results.dk);
  visit("dv", e.exact.dv, e.tolerance.dv, results.dv);
  visit("dsink", e.exact.dsink, e.tolerance.dsink, results.dsink);
}

}  // namespace

std::vector<std::string> mismatches(const Case& c, const Expectation& expectation, const Results& results) {
  std::vector<std::string> lines;
  for_tensors(c, expectation, results, [&](std::string_view name, const auto&... tensors) {
    int rows = 0, wrong = 0;
    RowError worst;
    for_rows(tensors..., [&](const RowError& row) {
      ++rows;
      if (row.ratio() > 1) ++wrong;
      if (row.ratio() > worst.ratio()) worst = row;
    });
    if (wrong == 0) return;
    lines.push_back(fmt::format("{}: {} of {} rows; batch {}, row {}, head {} is off by {:.3g}, allowed {:.3g}", name,
                                wrong, rows, worst.batch, worst.row, worst.head, worst.error, worst.tolerance));
  });
  return lines;
}

double worst_ratio(const Case& c, const Expectation& expectation, const Results& results) {
  double worst = 0;
  for_tensors(c, expectation, results, [&](std::string_view, const auto&... tensors) {
    for_rows(tensors..., [&](const RowError& row) { worst = std::max(worst, row.ratio()); });
  });
  return worst;
}

}  // namespace cpbench::test
