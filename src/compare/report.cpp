#include "compare/report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include "compare/side.hpp"
#include "result/case_columns.hpp"
#include "result/columns.hpp"
#include "result/doctor_figures.hpp"
#include "result/origin.hpp"
#include "support/counted.hpp"

namespace cpbench {
namespace {

/// Signed: `+3.1`.
std::string signed_percent(double fraction) { return fmt::format("{:+.1f}", fraction * 100); }

/// A time, or the figure that it stands for.
auto side_cell(std::optional<PointSide> PointComparison::*side, LaunchOf of) {
  return [side, of](const PointComparison& p) -> std::string {
    if (!(p.*side)) return kNothing;
    const double seconds = (p.*side)->median_s;
    return of == LaunchOf::kDoctor ? fmt::format("{:.4g}", figure_of_time(p.axes, seconds)) : milliseconds(seconds);
  };
}

auto change_cell(std::optional<Change> PointComparison::*which) {
  return [which](const PointComparison& p) { return p.*which ? signed_percent((p.*which)->value) : kNothing; };
}

auto bound_cell(double Interval::*bound) {
  return [bound](const PointComparison& p) {
    return p.full && p.full->interval ? signed_percent((*p.full->interval).*bound) : kNothing;
  };
}

/// In how many of its launches each side has measured the point: `5:5`.
std::string launches_cell(const PointComparison& point) {
  const auto count = [](const std::optional<PointSide>& side) { return side ? side->launches : 0; };
  return fmt::format("{}:{}", count(point.base), count(point.head));
}

std::vector<Column<PointComparison>> comparison_columns(LaunchOf of) {
  const bool of_run = of == LaunchOf::kRun;
  const char* unit = of_run ? "ms" : "";  // that of a figure is in its row
  std::vector<Column<PointComparison>> columns = {
      {"launches", "", 8, launches_cell},
      {"base", unit, 9, side_cell(&PointComparison::base, of)},
      {"head", unit, 9, side_cell(&PointComparison::head, of)},
      {"change", "%", 7, change_cell(&PointComparison::full)},
      {"low", "%", 7, bound_cell(&Interval::low)},
      {"high", "%", 7, bound_cell(&Interval::high)},
  };
  if (of_run) {
    columns.push_back({"compute", "%", 9, change_cell(&PointComparison::compute_only)});
    columns.push_back({"comm", "%", 7, change_cell(&PointComparison::comm_only)});
  }
  columns.push_back({"verdict", "", -8, [](const PointComparison& p) { return std::string(name_of(p.outcome)); }});
  return columns;
}

/// The distinct values of a side's launches.
std::string distinct(std::span<const Launch> launches, std::string Origin::*what) {
  std::set<std::string> values;
  for (const Launch& launch : launches) values.insert(origin_of(launch.header).*what);
  return fmt::format("{}", fmt::join(values, "; "));
}

std::string side_text(const char* name, std::span<const Launch> launches) {
  const std::vector<const Launch*> in_order = by_start(launches);
  const std::string &from = in_order.front()->started(), &to = in_order.back()->started();
  return fmt::format("# {}: {} of cpbench {}, {}, on {}\n", name, counted(std::ssize(launches), "launch", "launches"),
                     distinct(launches, &Origin::tool), from == to ? from : from + " to " + to,
                     distinct(launches, &Origin::devices));
}

struct NamedOrigin {
  const char* name;
  std::string Origin::*what;
};
constexpr NamedOrigin kWhatMattersForTimes[] = {{"devices", &Origin::devices}, {"hosts", &Origin::hosts},
                                                {"CPUs", &Origin::cpus},       {"MPI", &Origin::mpi},
                                                {"build", &Origin::build},     {"variables", &Origin::variables}};

/// What else than the program may have made a difference.
std::string difference_notes(std::span<const Launch> base, std::span<const Launch> head) {
  std::string text;
  for (const auto& [name, what] : kWhatMattersForTimes) {
    const std::string of_base = distinct(base, what), of_head = distinct(head, what);
    if (of_base != of_head) text += fmt::format("# not alike, {}: {} | {}\n", name, of_base, of_head);
  }
  const bool any_twice = std::ranges::any_of(base, [&](const Launch& launch) {
    return std::ranges::any_of(head, [&](const Launch& other) { return are_the_same(launch, other); });
  });
  if (any_twice) text += "# note: BASE and HEAD have a launch in common\n";
  return text;
}

/// `# note: 4 launches of BASE did not finish (base/1.jsonl, ...): what they had not reached is unknown`
std::string unfinished_note(const char* name, std::span<const Launch> launches) {
  const auto first = std::ranges::find(launches, false, &Launch::finished);
  if (first == launches.end()) return "";
  const auto count = std::ranges::count(launches, false, &Launch::finished);
  return fmt::format("# note: {} of {} did not finish ({}{}): what {} had not reached is unknown\n",
                     counted(count, "launch", "launches"), name, first->path, count > 1 ? ", ..." : "",
                     count > 1 ? "they" : "it");
}

std::string axes_notes(const Comparison& comparison) {
  std::string text;
  const std::vector<std::string>& ignored = comparison.options.ignored;
  if (!ignored.empty()) text += fmt::format("# ignored: {}\n", fmt::join(ignored, ", "));
  if (!comparison.unknown_axes.empty()) {
    text += fmt::format("# note: only one side knows of {}\n", fmt::join(comparison.unknown_axes, ", "));
  }
  return text;
}

/// The least count that allows this confidence.
int fewest(double confidence, const std::function<double(std::size_t)>& best_confidence) {
  int count = 1;
  while (best_confidence(static_cast<std::size_t>(count)) < confidence) ++count;
  return count;
}

/// What stands between launches and a verdict, where they are too few.
std::string few_launches_note(const Comparison& comparison) {
  if (comparison.count(Outcome::kUnjudged) == 0) return "";
  const double confidence = comparison.options.confidence;
  const auto a_side = [](std::size_t count) { return best_confidence_between(count, count); };
  return fmt::format("# note: an interval of {:g}% needs {} launches per side, or {} pairs\n", confidence * 100,
                     fewest(confidence, a_side), fewest(confidence, best_confidence_of_pairs));
}

/// Where the time of slower points went: `# slower 0-ring-cp2: +107.6 ms: compute alone +0.4, communication exposed
/// +107.2`. Nothing of points that do not communicate, or whose compute took no time.
std::string causes_of(const Comparison& comparison) {
  std::string text;
  for (const PointComparison& point : comparison.points) {
    if (point.outcome != Outcome::kSlower || !point.compute_only || !point.comm_only) continue;
    const PointSide &base = *point.base, &head = *point.head;
    const double slower_ms = (head.median_s - base.median_s) * 1e3;
    text += fmt::format("# slower {0}: {2:+.{1}f} ms: compute alone {3:+.{1}f}, communication exposed {4:+.{1}f}\n",
                        point.id, std::abs(slower_ms) < 1 ? 3 : 1, slower_ms,
                        (head.compute_only_s - base.compute_only_s) * 1e3, (head.exposed_s() - base.exposed_s()) * 1e3);
  }
  return text;
}

std::vector<Json> cases_of(const Comparison& comparison) {
  std::vector<Json> cases;
  for (const PointComparison& point : comparison.points) cases.push_back(point.axes);
  return cases;
}

/// What a point is to those who read of it.
const char* noun_of(const Comparison& comparison) { return comparison.of == LaunchOf::kDoctor ? "figure" : "point"; }

/// `SLOWER: 2 points; missing: 1 point`: all that is not well, the gravest first.
std::string verdict_of(const Comparison& comparison) {
  std::vector<std::string> parts;
  const auto add = [&](Outcome outcome, std::string_view name) {
    const int count = comparison.count(outcome);
    if (count > 0) parts.push_back(fmt::format("{}: {}", name, counted(count, noun_of(comparison))));
  };
  add(Outcome::kInvalid, "INVALID");
  add(Outcome::kMissing, "MISSING");
  add(Outcome::kSlower, "SLOWER");
  add(Outcome::kUnjudged, "NOT JUDGED (too few launches)");
  add(Outcome::kUnclear, "unclear");
  const int unreached = comparison.count_unreached(Outcome::kNew) + comparison.unmeasured_unreached;
  if (unreached > 0) parts.push_back("not reached by BASE: " + counted(unreached, noun_of(comparison)));
  if (!comparison.any_finished)
    parts.push_back(fmt::format("no launch finished: there may be more {}s", noun_of(comparison)));
  return parts.empty() ? "NOT SLOWER" : fmt::format("{}", fmt::join(parts, "; "));
}

std::string footer_of(const Comparison& comparison) {
  std::vector<std::string> counts;
  for (const Outcome outcome : kOutcomes) {
    const int count = comparison.count(outcome);
    if (count > 0) counts.push_back(fmt::format("{} {}", count, name_of(outcome)));
  }
  const std::string unmeasured =
      comparison.unmeasured == 0 ? "" : fmt::format("; measured on neither side: {}", comparison.unmeasured);
  return fmt::format("#\n{}# {}s {}: {}{}\n# verdict: {}\n", causes_of(comparison), noun_of(comparison),
                     comparison.points.size(), fmt::join(counts, ", "), unmeasured, verdict_of(comparison));
}

}  // namespace

std::string table_of(const Comparison& comparison, std::span<const Launch> base, std::span<const Launch> head) {
  const std::vector<Json> cases = cases_of(comparison);
  const bool of_doctor = comparison.of == LaunchOf::kDoctor;
  const std::vector<std::string> extra_axes = extra_axes_of(cases);
  const auto identity = of_doctor ? doctor_columns(extra_axes) : case_columns(extra_axes);
  const auto figures = comparison_columns(comparison.of);
  std::string text = side_text("base", base) + side_text("head", head) + difference_notes(base, head) +
                     unfinished_note("BASE", base) + unfinished_note("HEAD", head);
  if (const Json shared = shared_axes_of(cases); !shared.empty())
    text += fmt::format("# case: {}\n", text_of_axes(shared));
  text += axes_notes(comparison) + few_launches_note(comparison);
  text += fmt::format(
      "# change: {}from base to head{}, + is slower; low, high: its {:g}% interval; slower: by more than {:g}%\n#\n",
      of_doctor ? "of the time that as much takes, " : "", comparison.options.paired ? ", of pairs of launches" : "",
      comparison.options.confidence * 100, comparison.options.threshold * 100);
  text += column_names(identity, figures);
  for (const PointComparison& point : comparison.points) {
    text += without_trailing_spaces(" " + cells(identity, point.axes) + cells(figures, point)) +
            (point.reason.empty() ? "" : ": " + point.reason) + "\n";
  }
  return text + footer_of(comparison);
}

}  // namespace cpbench
