#include "compare/side.hpp"

#include <fmt/format.h>

#include "support/error.hpp"

namespace cpbench {
namespace {

/// The points of a launch by their keys.
std::map<PointKey, const PointRecord*> points_of(const Launch& launch, const std::vector<std::string>& ignored) {
  std::map<PointKey, const PointRecord*> points;
  for (const PointRecord& point : launch.points) {
    const auto [other, is_new] = points.emplace(axes_of(point, ignored), &point);
    if (!is_new) {
      refuse("{}: points {} and {} are the same but for ignored axes", launch.path, other->second->id, point.id);
    }
  }
  return points;
}

/// Whether the launch has not tried the point to its end, or not begun it. `point` is null where it has no such point.
bool is_unreached(const Launch& launch, const PointRecord* point) {
  if (launch.finished) return false;
  return point == nullptr || point->status == Status::kTimeout || point->status == Status::kInterrupted;
}

/// `point` is null where the launch has no such point.
void add_launch(Measurements& measurements, const Launch& launch, const PointRecord* point) {
  const bool is_measured = point != nullptr && point->is_measured();
  measurements.by_launch.push_back(is_measured ? point : nullptr);
  if (is_measured) return;
  measurements.unreached = measurements.unreached || is_unreached(launch, point);
  std::string why = fmt::format("not in {}{}", launch.path, launch.finished ? "" : ", which did not finish");
  if (point != nullptr) {
    const std::string_view status = point->status == Status::kOk ? "not measured" : name_of(point->status);
    why = fmt::format("{} in {}{}", status, launch.path, point->reason.empty() ? "" : ": " + point->reason);
  }
  const bool is_invalid = point != nullptr && point->status == Status::kInvalid;
  if (is_invalid && measurements.invalid.empty()) measurements.invalid = why;
  if (measurements.lacking.empty()) measurements.lacking = why;
}

}  // namespace

PointAxes axes_of(const PointRecord& point, const std::vector<std::string>& ignored) {
  PointAxes axes = point.axes;
  for (const std::string& name : ignored) axes.erase(name);
  return axes;
}

std::vector<const Launch*> by_start(std::span<const Launch> launches) {
  std::vector<const Launch*> order;
  for (const Launch& launch : launches) order.push_back(&launch);
  std::ranges::stable_sort(order, {}, &Launch::started);
  return order;
}

Side side_of(std::span<const Launch> launches, const std::vector<std::string>& ignored) {
  Side side;
  for (const Launch& launch : launches) {
    side.finished = side.finished && launch.finished;
    for (const PointRecord& point : launch.points) {
      const PointKey key = axes_of(point, ignored);
      Measurements& measurements = side.points[key];
      if (measurements.named == nullptr) side.order.push_back(key);
      measurements.named = &point;
    }
  }
  for (const Launch* launch : by_start(launches)) {
    const auto points = points_of(*launch, ignored);
    for (auto& [key, measurements] : side.points) {
      const auto found = points.find(key);
      add_launch(measurements, *launch, found == points.end() ? nullptr : found->second);
    }
  }
  return side;
}

}  // namespace cpbench
