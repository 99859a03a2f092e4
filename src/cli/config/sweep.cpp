#include "cli/config/sweep.hpp"

#include <algorithm>
#include <set>

#include "support/error.hpp"

namespace cpbench {
namespace {

constexpr std::size_t kMostPoints = 100'000;

// Replaces each point by one per value, in order: the axes that come first vary slowest. `where`: of the list of
// values.
void multiply(std::vector<PointSpec>& points, Axis axis, const std::vector<AxisValue>& values,
              const std::string& where) {
  if (values.empty()) return;
  if (points.size() * values.size() > kMostPoints) refuse("the sweep has more than {} points: split it", kMostPoints);
  std::vector<PointSpec> product;
  product.reserve(points.size() * values.size());
  for (const PointSpec& point : points) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      product.push_back(point);
      product.back().set(axis, values[i], where.empty() ? where : fmt::format("{}/{}", where, i));
    }
  }
  points = std::move(product);
}

// `file`: the one of the matrix.
std::vector<PointSpec> product_over(const PointSpec& base, const AxisValues& matrix, const AxisValues& overrides,
                                    const std::string& file) {
  std::vector<PointSpec> points = {base};
  for (const AxisInfo& info : all_axes()) {
    const auto& chosen = overrides[info.axis];
    if (chosen.empty()) {
      multiply(points, info.axis, matrix[info.axis], fmt::format("{}: /matrix/{}", file, info.name));
    } else {
      multiply(points, info.axis, chosen, "");
    }
  }
  return points;
}

bool has_all(const PointSpec& point, const PointSpec& wanted) {
  const auto axes = all_axes();
  return std::all_of(axes.begin(), axes.end(), [&](const AxisInfo& info) {
    return !wanted.has(info.axis) || point.at(info.axis) == wanted.at(info.axis);
  });
}

SweepPoint resolve_or_skip(const PointSpec& spec, const ResolveContext& context) {
  try {
    ResolvedPoint resolved = resolve(spec, context);
    return {std::move(resolved.axes), std::move(resolved.of), ""};
  } catch (const Error& error) {
    return {known_axes(spec, context), std::nullopt, error.what()};
  }
}

}  // namespace

bool AxisValues::empty() const {
  return std::all_of(lists_.begin(), lists_.end(), [](const auto& values) { return values.empty(); });
}

std::vector<PointSpec> expand(const Sweep& sweep, const AxisValues& overrides) {
  std::vector<PointSpec> points;
  if (!sweep.matrix.empty() || sweep.include.empty()) {
    points = product_over(sweep.defaults, sweep.matrix, overrides, sweep.file);
    std::erase_if(points, [&](const PointSpec& point) {
      return std::any_of(sweep.exclude.begin(), sweep.exclude.end(),
                         [&](const PointSpec& excluded) { return has_all(point, excluded); });
    });
  }
  for (const PointSpec& included : sweep.include) {
    PointSpec base = sweep.defaults;
    base.override_with(included);
    const auto more = product_over(base, {}, overrides, sweep.file);
    points.insert(points.end(), more.begin(), more.end());
  }
  if (points.empty()) refuse("the sweep has no points: `exclude` drops all of them");
  return points;
}

std::vector<SweepPoint> resolve_all(std::span<const PointSpec> points, const ResolveContext& context) {
  if (points.size() == 1) {
    ResolvedPoint only = resolve(points.front(), context);
    return {{std::move(only.axes), std::move(only.of), ""}};
  }
  std::vector<SweepPoint> distinct;
  std::set<std::string> seen;
  for (const PointSpec& spec : points) {
    SweepPoint point = resolve_or_skip(spec, context);
    if (seen.insert(point.axes.dump()).second) distinct.push_back(std::move(point));
  }
  return distinct;
}

}  // namespace cpbench
