// The table of points as `run` or `plan` prints it, from their records alone.
#pragma once

#include <string>
#include <vector>

#include "report/sheet.hpp"
#include "result/record.hpp"

namespace cpbench {

/// Its heading and its rows.
std::string text_of_points(const std::vector<PointRecord>& points);

/// The same cells for other writers, in the order of the points.
Sheet sheet_of_points(const std::vector<PointRecord>& points);

}  // namespace cpbench
