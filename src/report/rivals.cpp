#include "report/rivals.hpp"

#include <algorithm>
#include <tuple>

#include "result/columns.hpp"

namespace cpbench {
namespace {

/// Estimates were off by about as much where they stand beside measured times.
constexpr double kTellsApart = 0.05;

std::tuple<int, double, double> place_of(const Configuration& configuration) {
  const std::optional<double> time = configuration.median(find_figure(kTimeFigure));
  if (!time) return {2, 0, 0};
  return {configuration.fits() ? 0 : 1, std::stod(milliseconds(*time)),
          configuration.median(find_figure(kCommunicationFigure)).value_or(0)};
}

}  // namespace

const std::vector<std::string>& axes_of_work() {
  static const std::vector<std::string> kAxes = {
      "model",           "seq_len", "batch", "heads", "kv_heads", "head_dim", "head_dim_v",
      "tensor_parallel", "sink",    "dtype", "mask",  "docs",     "pass"};
  return kAxes;
}

bool is_rival(const Configuration& configuration) {
  return configuration.fits() && configuration.median(find_figure(kTimeFigure)).has_value();
}

double time_of(const Configuration& rival) { return rival.median(find_figure(kTimeFigure)).value(); }

void rank(std::vector<Configuration>& configurations) { std::ranges::stable_sort(configurations, {}, place_of); }

bool are_told_apart(double fastest_s, double estimated_s) { return estimated_s > fastest_s * (1 + kTellsApart); }

}  // namespace cpbench
