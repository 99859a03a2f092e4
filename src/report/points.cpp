#include "report/points.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "report/sheet.hpp"
#include "result/case_columns.hpp"
#include "result/origin.hpp"
#include "support/counted.hpp"
#include "support/error.hpp"
#include "support/nearest.hpp"
#include "support/split.hpp"

namespace cpbench {
namespace {

using Json = nlohmann::ordered_json;

/// Of the ranks that take part in a point: the first ones of the job.
std::span<const RankInfo> ranks_of(const Launch& launch, const Json& axes) {
  const std::span<const RankInfo> all = launch.header.ranks;
  const Json cp_size = axes.value("cp_size", Json());
  return cp_size.is_number_integer() ? all.first(std::min(all.size(), cp_size.get<std::size_t>())) : all;
}

void add_axes_of_launch(Json& axes, const Launch& launch) {
  axes["tool"] = origin_of(launch.header).tool;
  if (!launch.header.ranks.empty()) {  // of a plan there are none
    std::set<std::string> devices, hosts;
    for (const RankInfo& rank : ranks_of(launch, axes)) devices.insert(rank.device), hosts.insert(rank.host);
    axes["device"] = fmt::format("{}", fmt::join(devices, " + "));
    axes["hosts"] = hosts.size();
  }
  axes[kFileAxis] = launch.path;
}

std::vector<OccurringAxis> axes_of(std::span<const PointRecord> points) {
  std::vector<Json> cases;
  for (const PointRecord& point : points) cases.push_back(point.axes);
  return occurring_axes(cases);
}

struct Condition {
  std::string axis;
  std::vector<std::string> values;

  bool has(const Json& axes, std::string_view value) const {
    const Cell cell = cell_of(axes, axis);
    return cell.text == value || cell.exact == value;
  }
  bool holds_of(const PointRecord& point) const {
    return std::ranges::any_of(values, [&](const std::string& value) { return has(point.axes, value); });
  }
};

/// The whole text is one value where a point has it: a list of documents has commas of its own.
Condition condition_of(const std::string& text, std::span<const PointRecord> points) {
  const std::size_t equals = text.find('=');
  const std::vector<std::string> axes = axis_list(text.substr(0, equals));
  if (equals == std::string::npos || axes.size() != 1) refuse("--where {}: write AXIS=VALUE[,VALUE...]", text);
  require_axes("--where", axes, points);
  Condition condition{.axis = axes.front(), .values = {text.substr(equals + 1)}};
  const auto occurs = [&](const std::string& value) {
    return std::ranges::any_of(points, [&](const PointRecord& point) { return condition.has(point.axes, value); });
  };
  if (occurs(condition.values.front())) return condition;
  const std::string list = condition.values.front();
  condition.values.clear();
  for (const std::string_view part : split(list, ',')) {
    if (!occurs(condition.values.emplace_back(part))) {
      std::vector<std::string> known;
      for (const Json& value : values_of(points, condition.axis))
        known.push_back(text_of_axis({{condition.axis, value}}, condition.axis));
      refuse("--where {}: no point has {} \"{}\"; there are {}", text, condition.axis, part, fmt::join(known, ", "));
    }
  }
  return condition;
}

/// None of a point whose figures hold without one.
std::string caveat_of(const PointRecord& point) {
  if (!point.has_figures()) {
    const std::string_view status = point.status == Status::kOk ? "not measured" : name_of(point.status);
    return fmt::format("{}{}", status, point.reason.empty() ? "" : ": " + point.reason);
  }
  if (point.fits()) return {};
  const auto text = [](std::int64_t bytes) { return bytes_text(static_cast<double>(bytes)); };
  return fmt::format("does not fit: needs {} of the {} of a rank", text(point.memory->planned_bytes),
                     text(*point.plan->available_bytes));
}

}  // namespace

std::vector<PointRecord> points_of(std::span<const Launch> launches) {
  std::vector<PointRecord> points;
  for (const Launch& launch : launches) {
    for (const PointRecord& point : launch.points) {
      PointRecord& added = points.emplace_back(point);
      if (launches.size() > 1) add_axes_of_launch(added.axes, launch);
    }
  }
  return points;
}

std::vector<Json> values_of(std::span<const PointRecord> points, const std::string& axis) {
  std::vector<Json> values;
  for (const PointRecord& point : points) {
    const Json value = point.axes.value(axis, Json());
    if (std::ranges::count(values, value) == 0) values.push_back(value);
  }
  const auto is_number = [](const Json& value) { return value.is_number() || value.is_null(); };
  if (std::ranges::all_of(values, is_number)) std::ranges::sort(values);
  return values;
}

std::vector<std::string> varying_axes(std::span<const PointRecord> points) { return varying_names(axes_of(points)); }

Json shared_axes(std::span<const PointRecord> points) {
  Json shared = Json::object();
  for (const OccurringAxis& axis : axes_of(points)) {
    if (axis.values.size() == 1) shared[axis.name] = axis.values.front();
  }
  return shared;
}

void require_axes(std::string_view flag, const std::vector<std::string>& axes, std::span<const PointRecord> points) {
  for (const std::string& axis : axes) {
    if (std::ranges::count(axes, axis) > 1) refuse("{}: {} is given twice", flag, axis);
    if (std::ranges::any_of(points, [&](const PointRecord& point) { return point.axes.contains(axis); })) continue;
    const std::vector<std::string> varying = varying_axes(points);
    const std::string closest = nearest(axis, varying);
    refuse("{}: no point has an axis \"{}\"{}; those that vary: {}", flag, axis,
           closest.empty() ? "" : fmt::format("; did you mean \"{}\"?", closest),
           varying.empty() ? "none" : fmt::format("{}", fmt::join(varying, ", ")));
  }
}

std::vector<PointRecord> selected(std::span<const PointRecord> points, const std::vector<std::string>& conditions) {
  std::vector<Condition> parsed;
  for (const std::string& text : conditions) parsed.push_back(condition_of(text, points));
  std::vector<PointRecord> left;
  std::ranges::copy_if(points, std::back_inserter(left), [&](const PointRecord& point) {
    return std::ranges::all_of(parsed, [&](const Condition& condition) { return condition.holds_of(point); });
  });
  if (left.empty() && !parsed.empty()) refuse("no point has all of --where {}", fmt::join(conditions, " --where "));
  return left;
}

std::vector<std::string> caveats_of(std::span<const PointRecord> points) {
  std::vector<std::string> notes;
  for (const PointRecord& point : points) {
    const std::string caveat = caveat_of(point);
    if (caveat.empty()) continue;
    const std::string file = point.axes.contains(kFileAxis) ? " in " + text_of_axis(point.axes, kFileAxis) : "";
    notes.push_back(fmt::format("{}{}: {}", point.id, file, caveat));
  }
  return notes;
}

}  // namespace cpbench
