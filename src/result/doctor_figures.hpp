// Records of `doctor` as they are compared: each figure a point.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "result/json.hpp"
#include "result/record.hpp"

namespace cpbench {

/// The figures of a record (docs/doctor.schema.json) as its tables have them: peaks, of several ranks their means and
/// those of the slowest, patterns of messages, and of each kind of link by itself the median. The axes of a figure are
/// its name, its unit, and by what it was measured; what it was measured on is none of them. Its one time is that which
/// a unit takes, so that more is worse whatever the figure is: of a rate its reciprocal. A figure that the record lacks
/// is not measured, and those of links are invalid where one corrupts data. Throws std::exception for what is no
/// record.
std::vector<PointRecord> figures_of_doctor(const Json& record);

/// The figure in its unit, of the time that it is compared by.
double figure_of_time(const nlohmann::ordered_json& axes, double seconds);

}  // namespace cpbench
