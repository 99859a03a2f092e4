// One figure by two and more axes: what each of them does.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "report/figure.hpp"
#include "report/sheet.hpp"
#include "result/record.hpp"

namespace cpbench {

struct PivotAxes {
  std::vector<std::string> rows;
  std::string columns;
};

/// A row for each combination of the values of `rows` that occurs, a column for each value of `columns`. In a cell is
/// the figure of its configuration, the median over launches where there are several, which a note says; or what became
/// of a point that has none. Throws a usage error where configurations that differ in another axis fall into one cell,
/// with that axis and what to do; for an axis or a figure that no point has; and for an axis that is given twice.
Sheet pivot_of(std::span<const PointRecord> points, const PivotAxes& axes, const Figure& figure);

}  // namespace cpbench
