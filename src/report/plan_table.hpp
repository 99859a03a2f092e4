// The table of points that were planned.
#pragma once

#include <span>
#include <string>

#include "result/table.hpp"

namespace cpbench {

/// A column for each figure that these points have: times only of estimates, what goes between nodes only where there
/// are several, and whether a point fits only where it is known what memory a rank has.
TableFigures planned_figures(std::span<const PointRecord> points);

/// A row for each point. Where times were estimated, what computes the same stands together, as rank() orders it, with
/// a line on how many of the first an estimate cannot tell apart.
std::string planned_rows(const Table& table, std::span<const PointRecord> points);

}  // namespace cpbench
