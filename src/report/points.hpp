// The points of a report: those of all launches, told apart by axes alone, and the choice of some.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "result/launch.hpp"

namespace cpbench {

/// The axis that tells launches of the same point apart.
inline constexpr const char* kFileAxis = "file";

/// In the order of the launches. With several of them `case` is followed by what else makes a difference to a point:
/// `tool` (version and commit), `device`, `hosts` (over how many its ranks are spread), and `file`; of plans `tool` and
/// `file`.
std::vector<PointRecord> points_of(std::span<const Launch> launches);

/// The distinct values of an axis: numbers in their order, others in that of the points. Among them null
/// where a point lacks it.
std::vector<nlohmann::ordered_json> values_of(std::span<const PointRecord> points, const std::string& axis);

/// The axes on which all points agree that have them, with what they agree on.
nlohmann::ordered_json shared_axes(std::span<const PointRecord> points);

/// The axes that have several values, of points that have them at all, in the order of the first point.
std::vector<std::string> varying_axes(std::span<const PointRecord> points);

/// Throws a usage error that begins with `flag` for an axis that is given twice, and for one that no point has, with
/// those that vary.
void require_axes(std::string_view flag, const std::vector<std::string>& axes, std::span<const PointRecord> points);

/// The points that meet every condition, `AXIS=VALUE[,VALUE]`. Values are written as tables or as result files have
/// them. Throws a usage error for another form, an axis or a value that no point has, and where no point is left.
std::vector<PointRecord> selected(std::span<const PointRecord> points, const std::vector<std::string>& conditions);

/// A line on each point without figures that may be shown, `3-ring-cp4: skipped: ...`, and on each that does not fit.
std::vector<std::string> caveats_of(std::span<const PointRecord> points);

}  // namespace cpbench
