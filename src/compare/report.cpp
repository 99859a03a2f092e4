#include "compare/report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "result/case_columns.hpp"
#include "result/columns.hpp"
#include "result/tool.hpp"
#include "support/counted.hpp"

namespace cpbench {
namespace {

/// Signed: `+3.1`.
std::string signed_percent(double fraction) { return fmt::format("{:+.1f}", fraction * 100); }

auto side_cell(std::optional<PointSide> PointComparison::*side) {
  return [side](const PointComparison& p) { return p.*side ? milliseconds((p.*side)->median_s) : kNothing; };
}

auto change_cell(std::optional<Change> PointComparison::*which) {
  return [which](const PointComparison& p) { return p.*which ? signed_percent((p.*which)->value) : kNothing; };
}

auto bound_cell(double Interval::*bound) {
  return [bound](const PointComparison& p) {
    return p.full && p.full->interval ? signed_percent((*p.full->interval).*bound) : kNothing;
  };
}

std::vector<Column<PointComparison>> comparison_columns() {
  return {
      {"base", "ms", 9, side_cell(&PointComparison::base)},
      {"head", "ms", 9, side_cell(&PointComparison::head)},
      {"change", "%", 7, change_cell(&PointComparison::full)},
      {"from", "%", 7, bound_cell(&Interval::low)},
      {"to", "%", 7, bound_cell(&Interval::high)},
      {"compute", "%", 7, change_cell(&PointComparison::compute_only)},
      {"comm", "%", 7, change_cell(&PointComparison::comm_only)},
      {"verdict", "", -8, [](const PointComparison& p) { return std::string(name_of(p.outcome)); }},
  };
}

/// The distinct values of a side's launches.
std::string distinct(std::span<const Launch> launches, std::string Origin::*what) {
  std::set<std::string> values;
  for (const Launch& launch : launches) values.insert(launch.origin.*what);
  return fmt::format("{}", fmt::join(values, "; "));
}

std::string side_text(const char* name, std::span<const Launch> launches) {
  const auto by_start = [](const Launch& a, const Launch& b) { return a.origin.started < b.origin.started; };
  const auto [first, last] = std::ranges::minmax_element(launches, by_start);
  const std::string& from = first->origin.started;
  const std::string& to = last->origin.started;
  return fmt::format("# {}: {} of cpbench {}, {}, on {}\n", name, counted(std::ssize(launches), "launch"),
                     distinct(launches, &Origin::tool), from == to ? from : from + " to " + to,
                     distinct(launches, &Origin::devices));
}

struct NamedOrigin {
  const char* name;
  std::string Origin::*what;
};
constexpr NamedOrigin kWhatMattersForTimes[] = {
    {"devices", &Origin::devices}, {"hosts", &Origin::hosts}, {"MPI", &Origin::mpi}, {"build", &Origin::build}};

/// What else than the program may have made a difference.
std::string difference_notes(std::span<const Launch> base, std::span<const Launch> head) {
  std::string text;
  for (const auto& [name, what] : kWhatMattersForTimes) {
    const std::string of_base = distinct(base, what), of_head = distinct(head, what);
    if (of_base != of_head) text += fmt::format("# not alike, {}: {} | {}\n", name, of_base, of_head);
  }
  return text;
}

/// On what the intervals rest, where that is not the launches.
std::string interval_note(const CompareOptions& options, std::span<const Launch> base, std::span<const Launch> head) {
  if (std::min(base.size(), head.size()) >= kFewestTimes) return "";
  if (options.paired) return fmt::format("# note: fewer than {} pairs of launches have no interval\n", kFewestTimes);
  return fmt::format(
      "# note: fewer than {} launches on a side; its times are those of iterations, and know nothing of how launches "
      "differ\n",
      kFewestTimes);
}

std::vector<Json> cases_of(const Comparison& comparison) {
  std::vector<Json> cases;
  for (const PointComparison& point : comparison.points) cases.push_back(point.axes);
  return cases;
}

std::string verdict_of(const Comparison& comparison) {
  const auto points = [&](Outcome outcome) { return counted(comparison.count(outcome), "point"); };
  if (comparison.count(Outcome::kMissing) > 0) return fmt::format("MISSING: {}", points(Outcome::kMissing));
  if (comparison.count(Outcome::kSlower) > 0) {
    return fmt::format("SLOWER: {}, by more than {:g}%", points(Outcome::kSlower), comparison.options.threshold * 100);
  }
  if (comparison.count(Outcome::kUnclear) > 0) {
    return fmt::format("NOT SLOWER, as far as is clear; unclear: {} (more launches or iterations narrow the intervals)",
                       points(Outcome::kUnclear));
  }
  return "NOT SLOWER";
}

std::string footer_of(const Comparison& comparison) {
  std::vector<std::string> counts;
  for (const Outcome outcome : kOutcomes) {
    const int count = comparison.count(outcome);
    if (count > 0) counts.push_back(fmt::format("{} {}", count, name_of(outcome)));
  }
  return fmt::format("#\n# points {}: {}\n# verdict: {}\n", comparison.points.size(), fmt::join(counts, ", "),
                     verdict_of(comparison));
}

Json json_of(const std::optional<PointSide>& side) {
  if (!side) return nullptr;
  return {{"median_s", side->median_s}, {"launches", side->launches}, {"times", side->times}};
}

Json json_of(const std::optional<Change>& change) {
  if (!change) return nullptr;
  Json json = {{"value", change->value}, {"low", nullptr}, {"high", nullptr}};
  if (change->interval) json.update({{"low", change->interval->low}, {"high", change->interval->high}});
  return json;
}

Json json_of(const PointComparison& point) {
  Json json = {{"case", point.axes}, {"verdict", std::string(name_of(point.outcome))}};
  if (!point.reason.empty()) json["reason"] = point.reason;
  json["base"] = json_of(point.base);
  json["head"] = json_of(point.head);
  json["change"] = {{"full", json_of(point.full)},
                    {"compute_only", json_of(point.compute_only)},
                    {"comm_only", json_of(point.comm_only)}};
  return json;
}

Json json_of(std::span<const Launch> launches) {
  Json json = Json::array();
  for (const Launch& launch : launches) {
    const Origin& origin = launch.origin;
    json.push_back({{"file", launch.path},
                    {"tool", origin.tool},
                    {"build", origin.build},
                    {"mpi", origin.mpi},
                    {"devices", origin.devices},
                    {"hosts", origin.hosts},
                    {"started", origin.started}});
  }
  return json;
}

}  // namespace

std::string table_of(const Comparison& comparison, std::span<const Launch> base, std::span<const Launch> head) {
  const std::vector<Json> cases = cases_of(comparison);
  const auto identity = case_columns(extra_axes_of(cases));
  const auto figures = comparison_columns();
  std::string text = side_text("base", base) + side_text("head", head) + difference_notes(base, head);
  if (const Json shared = shared_axes_of(cases); !shared.empty())
    text += fmt::format("# case: {}\n", text_of_axes(shared));
  text += fmt::format("# change: {} from base to head, + is slower; from, to: its {:g}% interval\n",
                      comparison.options.paired ? "median over pairs of launches," : "of the median time",
                      comparison.options.confidence * 100);
  text += interval_note(comparison.options, base, head) + "#\n";
  text += column_names(identity, figures);
  for (const PointComparison& point : comparison.points) {
    text += without_trailing_spaces(" " + cells(identity, point.axes) + cells(figures, point)) +
            (point.reason.empty() ? "" : ": " + point.reason) + "\n";
  }
  return text + footer_of(comparison);
}

Json json_of(const Comparison& comparison, std::span<const Launch> base, std::span<const Launch> head, bool strict) {
  Json json = {{"schema", {{"name", "cpbench.comparison"}, {"version", kComparisonVersion}}},
               {"tool", json_of(this_tool())},
               {"base", json_of(base)},
               {"head", json_of(head)},
               {"threshold", comparison.options.threshold},
               {"confidence", comparison.options.confidence},
               {"ignored", comparison.options.ignored},
               {"paired", comparison.options.paired}};
  json["points"] = Json::array();
  for (const PointComparison& point : comparison.points) json["points"].push_back(json_of(point));
  json["summary"] = {{"points", comparison.points.size()}};
  for (const Outcome outcome : kOutcomes) json["summary"][std::string(name_of(outcome))] = comparison.count(outcome);
  json["summary"]["exit_code"] = static_cast<int>(comparison.exit_code(strict));
  return json;
}

}  // namespace cpbench
