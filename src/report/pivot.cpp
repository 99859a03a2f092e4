#include "report/pivot.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "report/configuration.hpp"
#include "report/points.hpp"
#include "result/case_columns.hpp"
#include "support/error.hpp"

namespace cpbench {
namespace {

using Json = nlohmann::ordered_json;

[[noreturn]] void refuse_shared_cell(const Configuration& a, const Configuration& b,
                                     const std::vector<std::string>& axes) {
  const std::vector<std::string> differing = differing_axes(a.axes, b.axes);
  std::vector<std::string> texts;
  for (const std::string& axis : differing) {
    texts.push_back(fmt::format("{} ({}, {})", axis, text_of_axis(a.axes, axis), text_of_axis(b.axes, axis)));
  }
  const std::string& first = differing.front();
  refuse("several points fall into the cell of {}: they differ in {}; add {} to --rows, or choose with --where {}={}",
         text_of_axes(values_on(axes, a.axes)), fmt::join(texts, ", "), first, first, cell_of(a.axes, first).exact);
}

/// Where anything has figures, that: a combination that was skipped is no rival of one that ran.
const Configuration& configuration_in_cell(const ConfigurationGroup& cell, const std::vector<std::string>& axes) {
  const Configuration* found = nullptr;
  for (const Configuration& configuration : cell.members) {
    if (configuration.with_figures().empty()) continue;
    if (found != nullptr) refuse_shared_cell(*found, configuration, axes);
    found = &configuration;
  }
  return found != nullptr ? *found : cell.members.front();
}

Cell cell_of_configuration(const Configuration& configuration, const Figure& figure) {
  if (!configuration.with_figures().empty()) return cell_of(configuration.median(figure));
  const auto gravest = std::ranges::find(configuration.points, Status::kInvalid, &PointRecord::status);
  const PointRecord& shown = gravest == configuration.points.end() ? *configuration.points.front() : **gravest;
  return {shown.status == Status::kOk ? "not measured" : std::string(name_of(shown.status)), ""};
}

std::vector<SheetColumn> pivot_columns(const PivotAxes& axes, const std::vector<Json>& values, const Figure& figure) {
  std::vector<SheetColumn> columns;
  for (const std::string& axis : axes.rows) columns.push_back({axis, "", false});
  for (const Json& value : values) {
    const std::string text = text_of_axis({{axes.columns, value}}, axes.columns);
    columns.push_back({fmt::format("{}={}", axes.columns, text), std::string(figure.unit), true});
  }
  return columns;
}

/// Of `cells` cells, of which the first are filled.
std::vector<Cell> begun_row(const Json& values, const std::vector<std::string>& axes, std::size_t cells) {
  std::vector<Cell> row;
  for (const std::string& axis : axes) row.push_back(cell_of(values, axis));
  row.resize(cells, cell_of(std::nullopt));
  return row;
}

}  // namespace

Sheet pivot_of(std::span<const PointRecord> points, const PivotAxes& axes, const Figure& figure) {
  std::vector<std::string> all = axes.rows;
  all.push_back(axes.columns);
  require_axes("--rows and --columns", all, points);
  require_figure("--value", figure, points);
  const std::vector<Json> column_values = values_of(points, axes.columns);
  Sheet sheet{.columns = pivot_columns(axes, column_values, figure), .rows = {}, .notes = {}};
  std::vector<Json> row_values;
  std::size_t most_launches = 0;
  for (const ConfigurationGroup& cell : groups_of(points, all)) {
    const Configuration& configuration = configuration_in_cell(cell, all);
    most_launches = std::max(most_launches, configuration.with_figures().size());
    const Json values = values_on(axes.rows, cell.values);
    const auto row = static_cast<std::size_t>(std::ranges::find(row_values, values) - row_values.begin());
    if (row == row_values.size()) {
      row_values.push_back(values);
      sheet.rows.push_back(begun_row(values, axes.rows, sheet.columns.size()));
    }
    const auto column = std::ranges::find(column_values, cell.values.at(axes.columns)) - column_values.begin();
    sheet.rows[row][axes.rows.size() + static_cast<std::size_t>(column)] = cell_of_configuration(configuration, figure);
  }
  if (most_launches > 1) {
    sheet.notes = {fmt::format("cells are medians over the launches of a point, {} at most", most_launches)};
  }
  return sheet;
}

}  // namespace cpbench
