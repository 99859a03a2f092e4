#include "cli/commands/point_table.hpp"

#include "cli/commands/table_axes.hpp"
#include "report/configuration.hpp"
#include "report/plan_table.hpp"
#include "report/points.hpp"
#include "result/json.hpp"
#include "result/table.hpp"

namespace cpbench {
namespace {

/// `file` only where nothing else tells two points apart.
std::vector<Json> cases_of(const std::vector<PointRecord>& points) {
  const bool needs_files = configurations_of(points, {}).size() < points.size();
  std::vector<Json> cases;
  for (const PointRecord& point : points) {
    cases.push_back(point.axes);
    if (!needs_files) cases.back().erase(kFileAxis);
  }
  return cases;
}

Table point_table_of(const std::vector<PointRecord>& points, const std::vector<Json>& cases) {
  return Table(axes_with_columns(cases), are_planned(points) ? planned_figures(points) : measured_figures());
}

}  // namespace

std::string text_of_points(const std::vector<PointRecord>& points) {
  const std::vector<Json> cases = cases_of(points);
  const Table table = point_table_of(points, cases);
  std::string text = table.heading(axes_above_columns(cases));
  if (are_planned(points)) return text + planned_rows(table, points);
  for (const PointRecord& point : points) text += table.row(point);
  return text;
}

Sheet sheet_of_points(const std::vector<PointRecord>& points) {
  const auto columns = point_table_of(points, cases_of(points)).columns();
  Sheet sheet;
  for (const auto& column : columns) sheet.columns.push_back({column.name, column.unit, column.width > 0});
  for (const PointRecord& point : points) {
    std::vector<Cell>& row = sheet.rows.emplace_back();
    for (const auto& column : columns) row.push_back(cell_of(column.cell(point)));
  }
  return sheet;
}

}  // namespace cpbench
