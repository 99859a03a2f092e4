#include "compare/comparison.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "run/timing.hpp"
#include "support/names.hpp"

namespace cpbench {
namespace {

using PointAxes = nlohmann::ordered_json;

PointAxes axes_of(const LaunchPoint& point, const std::vector<std::string>& ignored) {
  PointAxes axes = point.axes;
  for (const std::string& name : ignored) axes.erase(name);
  return axes;
}

/// What identifies a point, whatever the order of its axes.
nlohmann::json key_of(const LaunchPoint& point, const std::vector<std::string>& ignored) {
  return axes_of(point, ignored);
}

/// One point in the launches of a side.
struct Measurements {
  std::vector<const LaunchPoint*> by_launch;  ///< null where it was not measured
  std::vector<std::string> lacking;           ///< what those launches say, `invalid in head.json: ...`

  /// Null where no launch has measured it.
  const LaunchPoint* first() const {
    const auto found = std::ranges::find_if(by_launch, [](const LaunchPoint* point) { return point != nullptr; });
    return found == by_launch.end() ? nullptr : *found;
  }
};

/// All points of a side, in the order in which its launches name them.
struct Side {
  std::vector<nlohmann::json> order;
  std::map<nlohmann::json, Measurements> points;
};

/// The points of a launch by their keys.
std::map<nlohmann::json, const LaunchPoint*> points_of(const Launch& launch, const std::vector<std::string>& ignored) {
  std::map<nlohmann::json, const LaunchPoint*> points;
  for (const LaunchPoint& point : launch.points) {
    const auto [other, is_new] = points.emplace(key_of(point, ignored), &point);
    if (!is_new) {
      refuse("{}: points {} and {} are the same but for ignored axes", launch.path, other->second->id, point.id);
    }
  }
  return points;
}

/// What a launch without times for the point says of it; `point` is null where it has no such point.
std::string why_lacking(const Launch& launch, const LaunchPoint* point) {
  if (point == nullptr) return "not in " + launch.path;
  return fmt::format("{} in {}{}", point->status, launch.path, point->reason.empty() ? "" : ": " + point->reason);
}

Side side_of(std::span<const Launch> launches, const std::vector<std::string>& ignored) {
  Side side;
  for (const Launch& launch : launches) {
    for (const LaunchPoint& point : launch.points) {
      const auto key = key_of(point, ignored);
      if (side.points.try_emplace(key).second) side.order.push_back(key);
    }
  }
  for (const Launch& launch : launches) {
    const auto points = points_of(launch, ignored);
    for (auto& [key, measurements] : side.points) {
      const auto found = points.find(key);
      const LaunchPoint* point = found == points.end() ? nullptr : found->second;
      const bool is_measured = point != nullptr && !point->times.full.empty();
      measurements.by_launch.push_back(is_measured ? point : nullptr);
      if (!is_measured) measurements.lacking.push_back(why_lacking(launch, point));
    }
  }
  return side;
}

using WhichTimes = std::vector<double> PointTimes::*;

std::vector<double> times_of(const Measurements& measurements, WhichTimes which) {
  std::vector<double> medians, iterations;
  for (const LaunchPoint* point : measurements.by_launch) {
    if (point == nullptr) continue;
    const std::vector<double>& times = point->times.*which;
    medians.push_back(summarize(times).median_s);
    iterations.insert(iterations.end(), times.begin(), times.end());
  }
  return medians.size() < kFewestTimes ? iterations : medians;
}

PointSide point_side_of(const Measurements& measurements) {
  const std::vector<double> times = times_of(measurements, &PointTimes::full);
  return {.median_s = summarize(times).median_s,
          .launches = static_cast<int>(measurements.by_launch.size() - measurements.lacking.size()),
          .times = times.size()};
}

/// Base is 1 and head the ratio of a pair's medians, for each pair that has both: see CompareOptions::paired.
Change change_of_pairs(const Measurements& base, const Measurements& head, WhichTimes which, double confidence) {
  std::vector<double> ones, ratios;
  for (std::size_t i = 0; i < base.by_launch.size(); ++i) {
    if (base.by_launch[i] == nullptr || head.by_launch[i] == nullptr) continue;
    const auto median = [&](const LaunchPoint* point) { return summarize(point->times.*which).median_s; };
    ones.push_back(1);
    ratios.push_back(median(head.by_launch[i]) / median(base.by_launch[i]));
  }
  return change_of_median(ones, ratios, confidence);
}

/// Empty where a time is 0: what took none has no ratio.
std::optional<Change> change_of(const Measurements& base, const Measurements& head, WhichTimes which,
                                const CompareOptions& options) {
  const std::vector<double> base_times = times_of(base, which), head_times = times_of(head, which);
  if (std::ranges::min(base_times) <= 0 || std::ranges::min(head_times) <= 0) return std::nullopt;
  if (options.paired) return change_of_pairs(base, head, which, options.confidence);
  return change_of_median(base_times, head_times, options.confidence);
}

Outcome outcome_of(const Change& change, double threshold) {
  if (!change.interval) return Outcome::kUnclear;
  if (change.interval->low > threshold) return Outcome::kSlower;
  if (change.interval->high > threshold) return Outcome::kUnclear;
  return change.interval->high < -threshold ? Outcome::kFaster : Outcome::kSame;
}

/// A point that base has measured.
PointComparison compare_point(const Measurements& base, const Measurements* head, const CompareOptions& options) {
  PointComparison point{.axes = axes_of(*base.first(), options.ignored)};
  point.base = point_side_of(base);
  if (head == nullptr || !head->lacking.empty()) {
    point.outcome = Outcome::kMissing;
    point.reason = head == nullptr ? "not in HEAD" : head->lacking.front();
    return point;
  }
  point.head = point_side_of(*head);
  point.full = change_of(base, *head, &PointTimes::full, options);
  point.compute_only = change_of(base, *head, &PointTimes::compute_only, options);
  if (base.first()->sends && head->first()->sends) {
    point.comm_only = change_of(base, *head, &PointTimes::comm_only, options);
  }
  point.outcome = outcome_of(*point.full, options.threshold);
  return point;
}

void require_known_axes(std::span<const Launch> base, std::span<const Launch> head,
                        const std::vector<std::string>& ignored) {
  std::set<std::string> known;
  for (const std::span<const Launch> side : {base, head}) {
    for (const Launch& launch : side) {
      for (const LaunchPoint& point : launch.points) {
        for (const auto& item : point.axes.items()) known.insert(item.key());
      }
    }
  }
  for (const std::string& name : ignored) {
    if (!known.contains(name)) refuse_unknown("axis", name, std::vector<std::string>(known.begin(), known.end()));
  }
}

/// The axes in which two cases differ.
std::vector<std::string> differing_axes(const nlohmann::json& a, const nlohmann::json& b) {
  std::vector<std::string> names;
  for (const auto& item : a.items()) {
    if (!b.contains(item.key()) || b.at(item.key()) != item.value()) names.push_back(item.key());
  }
  for (const auto& item : b.items()) {
    if (!a.contains(item.key())) names.push_back(item.key());
  }
  return names;
}

/// Where nothing matches, what the first point of base lacks for the point of head that comes nearest.
[[noreturn]] void refuse_without_match(const Side& base, const Side& head) {
  std::string nearest;
  for (const auto& key : base.order) {
    if (base.points.at(key).first() == nullptr || head.order.empty()) continue;
    const auto fewer = [&](const auto& a, const auto& b) {
      return differing_axes(key, a).size() < differing_axes(key, b).size();
    };
    const auto& closest = *std::ranges::min_element(head.order, fewer);
    std::vector<std::string> differences, names = differing_axes(key, closest);
    for (const std::string& name : names) {
      differences.push_back(fmt::format("{} ({}, {})", name, key.value(name, nlohmann::json()).dump(),
                                        closest.value(name, nlohmann::json()).dump()));
    }
    if (!names.empty()) {
      nearest = fmt::format("; the nearest differ in {}; --ignore {} takes them for the same",
                            fmt::join(differences, ", "), fmt::join(names, ","));
    }
    break;
  }
  throw Error(ExitCode::kBaselineMissing, "BASE and HEAD have no measured point in common" + nearest);
}

}  // namespace

std::string_view name_of(Outcome outcome) {
  constexpr std::array kNames = {
      Named<Outcome>{Outcome::kSame, "same"},       Named<Outcome>{Outcome::kFaster, "faster"},
      Named<Outcome>{Outcome::kSlower, "slower"},   Named<Outcome>{Outcome::kUnclear, "unclear"},
      Named<Outcome>{Outcome::kMissing, "missing"}, Named<Outcome>{Outcome::kNew, "new"}};
  return name_in(kNames, outcome);
}

int Comparison::count(Outcome outcome) const {
  return static_cast<int>(std::ranges::count(points, outcome, &PointComparison::outcome));
}

ExitCode Comparison::exit_code(bool strict) const {
  if (count(Outcome::kMissing) > 0) return ExitCode::kBaselineMissing;
  if (count(Outcome::kSlower) > 0) return ExitCode::kRegression;
  return strict && count(Outcome::kUnclear) > 0 ? ExitCode::kInconclusive : ExitCode::kOk;
}

Comparison compare(std::span<const Launch> base, std::span<const Launch> head, const CompareOptions& options) {
  require_known_axes(base, head, options.ignored);
  if (options.paired && base.size() != head.size()) {
    refuse("pairs need as many launches of BASE as of HEAD: there are {} and {}", base.size(), head.size());
  }
  const Side of_base = side_of(base, options.ignored), of_head = side_of(head, options.ignored);
  Comparison comparison{.options = options, .points = {}};
  bool any_match = false;
  for (const auto& key : of_base.order) {
    const Measurements& measurements = of_base.points.at(key);
    if (measurements.first() == nullptr) continue;
    const auto found = of_head.points.find(key);
    const Measurements* in_head = found == of_head.points.end() ? nullptr : &found->second;
    any_match = any_match || in_head != nullptr;
    comparison.points.push_back(compare_point(measurements, in_head, options));
  }
  if (!any_match) refuse_without_match(of_base, of_head);
  for (const auto& key : of_head.order) {
    const Measurements& measurements = of_head.points.at(key);
    const auto in_base = of_base.points.find(key);
    const bool base_has_it = in_base != of_base.points.end() && in_base->second.first() != nullptr;
    if (base_has_it || measurements.first() == nullptr) continue;
    comparison.points.push_back(
        {.axes = axes_of(*measurements.first(), options.ignored),
         .outcome = Outcome::kNew,
         .reason = in_base == of_base.points.end() ? "not in BASE" : in_base->second.lacking.front(),
         .head = point_side_of(measurements)});
  }
  return comparison;
}

}  // namespace cpbench
