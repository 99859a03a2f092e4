#include "compare/comparison.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "compare/side.hpp"
#include "result/case_columns.hpp"
#include "result/record.hpp"
#include "run/timing.hpp"
#include "support/names.hpp"

namespace cpbench {
namespace {

using WhichTimes = TimingSummary Timing::*;

/// By launch, as the measurements; 0 where it was not measured.
std::vector<double> medians_of(const Measurements& measurements, WhichTimes which) {
  std::vector<double> medians;
  for (const PointRecord* point : measurements.by_launch) {
    medians.push_back(point == nullptr ? 0 : ((*point->timing).*which).median_s);
  }
  return medians;
}

std::vector<double> without_zeros(std::vector<double> times) {
  std::erase(times, 0.0);
  return times;
}

PointSide point_side_of(const Measurements& measurements) {
  const std::vector<double> full = without_zeros(medians_of(measurements, &Timing::full));
  const std::vector<double> compute_only = without_zeros(medians_of(measurements, &Timing::compute_only));
  return {.median_s = summarize(full).median_s,
          .compute_only_s = compute_only.empty() ? 0 : summarize(compute_only).median_s,
          .launches = static_cast<int>(full.size())};
}

/// Empty where a side has no times, or none above 0: what took none has no ratio.
std::optional<Change> change_of(const Measurements& base, const Measurements& head, WhichTimes which,
                                const CompareOptions& options) {
  const std::vector<double> base_medians = medians_of(base, which), head_medians = medians_of(head, which);
  if (!options.paired) {
    const auto base_times = without_zeros(base_medians), head_times = without_zeros(head_medians);
    if (base_times.empty() || head_times.empty()) return std::nullopt;
    return change_between(base_times, head_times, options.confidence);
  }
  std::vector<double> ratios;
  for (std::size_t pair = 0; pair < base_medians.size(); ++pair) {
    if (base_medians[pair] > 0 && head_medians[pair] > 0) ratios.push_back(head_medians[pair] / base_medians[pair]);
  }
  return ratios.empty() ? std::nullopt : std::optional(change_of_pairs(ratios, options.confidence));
}

Outcome outcome_of(const std::optional<Change>& change, double threshold) {
  if (!change || !change->interval) return Outcome::kUnjudged;
  if (change->interval->low > threshold) return Outcome::kSlower;
  if (change->interval->high > threshold) return Outcome::kUnclear;
  return change->interval->high < -threshold ? Outcome::kFaster : Outcome::kSame;
}

/// Of a point that both sides have measured, head in all its launches.
void judge(PointComparison& point, const Measurements& base, const Measurements& head, const CompareOptions& options) {
  point.full = change_of(base, head, &Timing::full, options);
  point.compute_only = change_of(base, head, &Timing::compute_only, options);
  if (base.first()->sends() && head.first()->sends()) {
    point.comm_only = change_of(base, head, &Timing::comm_only, options);
  }
  point.outcome = outcome_of(point.full, options.threshold);
}

/// Empty for a point that neither side has measured and that is not wrong.
std::optional<PointComparison> compare_point(const PointKey& key, const Side& base, const Side& head,
                                             const CompareOptions& options) {
  static const Measurements kNone;
  const auto in = [&](const Side& side) -> const Measurements& {
    const auto found = side.points.find(key);
    return found == side.points.end() ? kNone : found->second;
  };
  const Measurements &of_base = in(base), &of_head = in(head);
  PointComparison point;
  if (of_base.first() != nullptr) point.base = point_side_of(of_base);
  if (of_head.first() != nullptr) point.head = point_side_of(of_head);
  const auto reason = [](const Measurements& measurements, const char* side) {
    return measurements.by_launch.empty() ? std::string("not in ") + side : measurements.lacking;
  };
  if (!of_head.invalid.empty()) {
    point.outcome = Outcome::kInvalid;
    point.reason = of_head.invalid;
  } else if (point.base && (!point.head || !of_head.lacking.empty())) {
    point.outcome = Outcome::kMissing;
    point.reason = reason(of_head, "HEAD");
    point.unreached = head.unreached(key);
  } else if (point.base) {
    judge(point, of_base, of_head, options);
  } else if (point.head) {
    point.outcome = Outcome::kNew;
    point.reason = reason(of_base, "BASE");
    point.unreached = base.unreached(key);
  } else {
    return std::nullopt;
  }
  point.id = (of_head.named != nullptr ? of_head : of_base).named->id;
  point.axes = axes_of(of_base.named != nullptr ? *of_base.named : *of_head.named, options.ignored);
  return point;
}

/// Of measured points: others may lack axes that were never resolved.
std::set<std::string> axes_known_to(std::span<const Launch> launches) {
  std::set<std::string> names;
  for (const Launch& launch : launches) {
    for (const PointRecord& point : launch.points) {
      if (!point.is_measured()) continue;
      for (const auto& item : point.axes.items()) names.insert(item.key());
    }
  }
  return names;
}

void require_known_axes(const std::vector<std::string>& ignored, std::set<std::string> known,
                        const std::set<std::string>& more) {
  known.insert(more.begin(), more.end());
  for (const std::string& name : ignored) {
    if (!known.contains(name)) refuse_unknown("axis", name, std::vector<std::string>(known.begin(), known.end()));
  }
}

void require_alike(std::span<const Launch> base, std::span<const Launch> head) {
  const LaunchOf of_base = base.front().of, of_head = head.front().of;
  if (of_base == of_head) return;
  refuse("BASE has {}, and HEAD {}: only like is compared with like", plural_of(of_base), plural_of(of_head));
}

/// Every pair must be over before the next begins, or what slows one launch of a pair need not slow the other.
void require_pairs(std::span<const Launch> base, std::span<const Launch> head) {
  if (base.size() != head.size()) {
    refuse("pairs need as many launches of BASE as of HEAD: there are {} and {}", base.size(), head.size());
  }
  const std::vector<const Launch*> bases = by_start(base), heads = by_start(head);
  for (std::size_t pair = 1; pair < bases.size(); ++pair) {
    const auto late = std::max(bases[pair - 1]->started(), heads[pair - 1]->started());
    const auto early = std::min(bases[pair]->started(), heads[pair]->started());
    if (late > early) {
      refuse("{} and {} are no pair: launches of BASE and HEAD were not made in turn", bases[pair - 1]->path,
             heads[pair - 1]->path);
    }
  }
}

/// What the first measured point of base and the point of head that comes nearest differ in.
std::string nearest_text(const Side& base, const Side& head) {
  const auto measured = [](const Side& side) {
    std::vector<PointKey> keys;
    for (const PointKey& key : side.order) {
      if (side.points.at(key).first() != nullptr) keys.push_back(key);
    }
    return keys;
  };
  const std::vector<PointKey> of_base = measured(base), of_head = measured(head);
  if (of_base.empty() || of_head.empty()) return "";
  const PointKey& key = of_base.front();
  const auto closest =
      std::ranges::min_element(of_head, {}, [&](const PointKey& other) { return differing_axes(key, other).size(); });
  const std::vector<std::string> names = differing_axes(key, *closest);
  std::vector<std::string> differences;
  for (const std::string& name : names) {
    differences.push_back(
        fmt::format("{} ({}, {})", name, key.value(name, PointKey()).dump(), closest->value(name, PointKey()).dump()));
  }
  return fmt::format("; the nearest differ in {}; --ignore {} takes them for the same", fmt::join(differences, ", "),
                     fmt::join(names, ","));
}

}  // namespace

std::string_view name_of(Outcome outcome) {
  constexpr std::array kNames = {
      Named<Outcome>{Outcome::kSame, "same"},         Named<Outcome>{Outcome::kFaster, "faster"},
      Named<Outcome>{Outcome::kSlower, "slower"},     Named<Outcome>{Outcome::kUnclear, "unclear"},
      Named<Outcome>{Outcome::kUnjudged, "unjudged"}, Named<Outcome>{Outcome::kMissing, "missing"},
      Named<Outcome>{Outcome::kInvalid, "invalid"},   Named<Outcome>{Outcome::kNew, "new"}};
  return name_in(kNames, outcome);
}

int Comparison::count(Outcome outcome) const {
  return static_cast<int>(std::ranges::count(points, outcome, &PointComparison::outcome));
}

int Comparison::count_unreached(Outcome outcome) const {
  return static_cast<int>(std::ranges::count_if(
      points, [&](const PointComparison& point) { return point.outcome == outcome && point.unreached; }));
}

ExitCode Comparison::exit_code(bool strict) const {
  const auto any = [&](auto... outcomes) { return ((count(outcomes) > 0) || ...); };
  const bool any_judged = any(Outcome::kSame, Outcome::kFaster, Outcome::kSlower, Outcome::kUnclear);
  ExitCode code = ExitCode::kOk;
  if (any(Outcome::kInvalid)) code = graver(code, ExitCode::kInvalid);
  if (any(Outcome::kMissing)) code = graver(code, ExitCode::kBaselineMissing);
  if (any(Outcome::kSlower)) code = graver(code, ExitCode::kRegression);
  const bool any_open =
      any(Outcome::kUnclear, Outcome::kUnjudged) ||
      count_unreached(Outcome::kNew) + count_unreached(Outcome::kMissing) + unmeasured_unreached > 0 || !any_finished;
  if (!any_judged || (strict && any_open)) {
    code = graver(code, ExitCode::kInconclusive);
  }
  return code;
}

Comparison compare(std::span<const Launch> base, std::span<const Launch> head, const CompareOptions& options) {
  require_alike(base, head);
  const std::set<std::string> of_base = axes_known_to(base), of_head = axes_known_to(head);
  require_known_axes(options.ignored, of_base, of_head);
  if (options.paired) require_pairs(base, head);
  Comparison comparison{.of = base.front().of,
                        .options = options,
                        .unknown_axes = {},
                        .points = {},
                        .base_launches = static_cast<int>(base.size()),
                        .head_launches = static_cast<int>(head.size())};
  const auto any_finished = [](std::span<const Launch> launches) {
    return std::ranges::any_of(launches, &Launch::finished);
  };
  comparison.any_finished = any_finished(base) || any_finished(head);
  if (!of_base.empty() && !of_head.empty()) {
    std::ranges::set_symmetric_difference(of_base, of_head, std::back_inserter(comparison.unknown_axes));
  }
  std::vector<std::string>& ignored = comparison.options.ignored;
  ignored.insert(ignored.end(), comparison.unknown_axes.begin(), comparison.unknown_axes.end());

  const Side base_side = side_of(base, ignored), head_side = side_of(head, ignored);
  std::vector<PointKey> keys = base_side.order;
  std::ranges::copy_if(head_side.order, std::back_inserter(keys),
                       [&](const PointKey& key) { return !base_side.points.contains(key); });
  bool any_in_common = false;
  for (const PointKey& key : keys) {
    const std::optional<PointComparison> point = compare_point(key, base_side, head_side, comparison.options);
    if (!point) {
      ++comparison.unmeasured;
      if (base_side.unreached(key)) ++comparison.unmeasured_unreached;
      continue;
    }
    any_in_common = any_in_common || (point->base && head_side.points.contains(key));
    comparison.points.push_back(*point);
  }
  if (!any_in_common && comparison.count(Outcome::kInvalid) == 0) {
    throw Error(ExitCode::kBaselineMissing,
                "BASE and HEAD have no measured point in common" + nearest_text(base_side, head_side));
  }
  return comparison;
}

}  // namespace cpbench
