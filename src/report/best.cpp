#include "report/best.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "report/configuration.hpp"
#include "report/points.hpp"
#include "report/rivals.hpp"
#include "result/case_columns.hpp"
#include "support/error.hpp"

namespace cpbench {
namespace {

using Json = nlohmann::ordered_json;

void require_same_work(const ConfigurationGroup& rivals) {
  for (const Configuration& rival : rivals.members) {
    const Json one = values_on(axes_of_work(), rivals.members.front().axes),
               other = values_on(axes_of_work(), rival.axes);
    if (one == other) continue;
    const std::string axis = differing_axes(one, other).front(), value = text_of_axis(one, axis);
    refuse("--best: points of {} compute different things, {} {} and {}; add {} to --best, or choose: --where {}={}",
           text_of_axes(rivals.values), axis, value, text_of_axis(other, axis), axis, axis, value);
  }
}

/// Of each group the rivals, the fastest first.
std::vector<ConfigurationGroup> rivals_of(std::span<const PointRecord> points, const std::vector<std::string>& axes) {
  std::vector<ConfigurationGroup> groups = groups_of(points, axes);
  for (ConfigurationGroup& rivals : groups) {
    std::erase_if(rivals.members, [](const Configuration& one) { return !is_rival(one); });
    require_same_work(rivals);
    rank(rivals.members);
  }
  return groups;
}

/// `planned`: the points are, and were not run.
std::string_view lead_of(const std::vector<Configuration>& configurations, bool planned) {
  if (configurations.empty()) return planned ? "nothing fits" : "nothing measured";
  if (configurations.size() == 1) return "alone";
  if (planned) {
    return are_told_apart(time_of(configurations[0]), time_of(configurations[1])) ? "wins" : "within the error";
  }
  const TimingSummary fastest = configurations[0].times(), runner_up = configurations[1].times();
  if (std::min(fastest.samples_s.size(), runner_up.samples_s.size()) < 2) return "one sample";
  return fastest.q3_s < runner_up.q1_s ? "wins" : "within the spread";
}

/// By how much longer the runner-up takes; 0 where a table shows the same time, and another figure decided.
std::optional<double> lead_percent(const Configuration& fastest, const Configuration& runner_up) {
  if (!(time_of(fastest) > 0)) return std::nullopt;
  return std::max(0.0, (time_of(runner_up) / time_of(fastest) - 1) * 100);
}

/// `algo ulysses, ulysses_degree 4`
Cell runner_up_cell(const Configuration& fastest, const Configuration& runner_up) {
  return cell_of(text_of_axes(values_on(differing_axes(runner_up.axes, fastest.axes), runner_up.axes)));
}

}  // namespace

Sheet best_of(std::span<const PointRecord> points, const std::vector<std::string>& axes) {
  require_axes("--best", axes, points);
  const Figure &time = find_figure(kTimeFigure), &rate = find_figure(kRateFigure);
  require_figure("--best", time, points);
  const bool planned = are_planned(points);
  std::vector<std::string> others = varying_axes(points);
  std::erase_if(others, [&](const auto& axis) { return axis == kFileAxis || std::ranges::count(axes, axis) > 0; });
  Sheet sheet;
  for (const auto& names : {axes, others}) {
    for (const std::string& axis : names) sheet.columns.push_back({axis, "", false});
  }
  sheet.columns.insert(sheet.columns.end(), {{std::string(time.name), std::string(time.unit), true},
                                             {std::string(rate.name), std::string(rate.unit), true},
                                             {"ahead_percent", "%", true},
                                             {"lead", "", false},
                                             {"runner_up", "", false}});
  for (const auto& [combination, configurations] : rivals_of(points, axes)) {
    const Configuration none, &fastest = configurations.empty() ? none : configurations.front();
    const bool has_rival = configurations.size() > 1;
    std::vector<Cell>& row = sheet.rows.emplace_back();
    for (const std::string& axis : axes) row.push_back(cell_of(combination, axis));
    for (const std::string& axis : others) row.push_back(cell_of(fastest.axes, axis));
    row.push_back(cell_of(fastest.median(time)));
    row.push_back(cell_of(fastest.median(rate)));
    row.push_back(cell_of(has_rival ? lead_percent(fastest, configurations[1]) : std::nullopt));
    row.push_back(cell_of(std::string(lead_of(configurations, planned))));
    row.push_back(has_rival ? runner_up_cell(fastest, configurations[1]) : cell_of(std::nullopt));
  }
  return sheet;
}

}  // namespace cpbench
