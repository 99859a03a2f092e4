#include "result/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "result/case_columns.hpp"
#include "result/columns.hpp"
#include "support/counted.hpp"

namespace cpbench {
namespace {

std::vector<Column<PlanRecord>> estimate_columns(std::optional<std::int64_t> available_bytes) {
  const auto time = [](double TimeEstimate::*which) {
    return [which](const PlanRecord& p) { return milliseconds((*p.estimate).*which); };
  };
  const auto figures = [](const PlanRecord& p) { return throughput_of(timing_of(*p.estimate), p.work); };
  std::vector<Column<PlanRecord>> columns = {
      {"time", "ms", 9, time(&TimeEstimate::full_s)},
      {"compute", "only ms", 9, time(&TimeEstimate::compute_only_s)},
      {"comm", "only ms", 9, time(&TimeEstimate::comm_only_s)},
      {"exposed", "ms", 9, [](const PlanRecord& p) { return milliseconds(p.estimate->exposed_s()); }},
      {"TFLOP/s", "per rank", 8,
       [figures](const PlanRecord& p) { return fmt::format("{:.4g}", figures(p).tflops_per_rank.value_or(0)); }},
      {"of comp", "%", 7, [figures](const PlanRecord& p) { return percent(figures(p).fraction_of_compute_only); }},
      {"memory", "per rank", 11,
       [](const PlanRecord& p) { return bytes_text(static_cast<double>(peak_memory_of(p))); }},
  };
  if (available_bytes) {
    columns.push_back({"fits", "", -8, [available_bytes](const PlanRecord& p) -> std::string {
                         return peak_memory_of(p) > *available_bytes ? "TOO MUCH" : "yes";
                       }});
  }
  return columns;
}

Json json_of(const TimeEstimate& estimate) {
  return {{"full_s", estimate.full_s},
          {"compute_only_s", estimate.compute_only_s},
          {"comm_only_s", estimate.comm_only_s},
          {"exposed_s", estimate.exposed_s()}};
}

Json json_of(const MachineModel& machine) {
  const auto in = [](double unit, const std::optional<double>& rate) { return rate ? Json(*rate / unit) : Json(); };
  return {{"links", to_string(machine.links)},
          {"forward_tflops", in(1e12, machine.forward_flops_per_second)},
          {"backward_tflops", in(1e12, machine.backward_flops_per_second)},
          {"memory_bandwidth", in(1e9, machine.memory_bytes_per_second)}};
}

/// What results have of measured times, and the model.
Json estimate_json_of(const PlanRecord& point) {
  const Timing timing = timing_of(*point.estimate);
  const Throughput throughput = throughput_of(timing, point.work);
  const CommFigures comm = comm_figures_of(timing, point.work);
  Json json = json_of(*point.estimate);
  json.update({{"tflops_per_rank", json_of_figure(throughput.tflops_per_rank)},
               {"tokens_per_s", json_of_figure(throughput.tokens_per_s)},
               {"fraction_of_compute_only", json_of_figure(throughput.fraction_of_compute_only)},
               {"bus_bandwidth", json_of_figure(comm.bus_bandwidth)},
               {"overlap_efficiency", json_of_figure(comm.overlap_efficiency)},
               {"machine", json_of(*point.machine)}});
  return json;
}

Json json_of(const PlannedRank& rank) {
  const RankFigures& figures = rank.figures;
  Json bytes;
  for (const Link link : {Link::kInner, Link::kOuter, Link::kAllToAll}) {
    bytes[std::string(name_of(link))] = figures.bytes_by_link[static_cast<std::size_t>(link)];
  }
  bytes["within_node"] = figures.bytes_within_node;
  bytes["between_nodes"] = figures.bytes_between_nodes;
  Json json = {{"tokens", rank.tokens},
               {"flops", json_of_flops(figures.flops)},
               {"bytes_sent", bytes},
               {"messages", figures.messages},
               {"memory_bytes", rank.memory_bytes}};
  if (rank.estimate) json["estimate"] = json_of(*rank.estimate);
  return json;
}

Json json_of(const PlanRecord& point) {
  Json json = {{"id", point.id}, {"case", point.axes}, {"status", std::string(name_of(point.status))}};
  if (!point.reason.empty()) json["reason"] = point.reason;
  if (!point.faults.empty()) json["faults"] = point.faults;
  if (point.ranks.empty()) return json;
  json["flops"] = json_of_flops(point.work.flops);
  json["load_balance"] = load_balance_of(point);
  json["peak_memory_bytes"] = peak_memory_of(point);
  if (point.estimate) json["estimate"] = estimate_json_of(point);
  json["ranks"] = Json::array();
  for (const PlannedRank& rank : point.ranks) json["ranks"].push_back(json_of(rank));
  return json;
}

/// The points that have an estimate, those that compute the same together, in the order of the first.
std::vector<std::vector<const PlanRecord*>> rivals_of(std::span<const PlanRecord> points) {
  const auto compute_the_same = [](const Json& a, const Json& b) {
    return std::ranges::all_of(kWhatIsComputed, [&](std::string_view axis) {
      const std::string name(axis);
      return a.value(name, Json()) == b.value(name, Json());
    });
  };
  std::vector<std::vector<const PlanRecord*>> groups;
  for (const PlanRecord& point : points) {
    if (!point.estimate) continue;
    auto group = std::ranges::find_if(
        groups, [&](const auto& rivals) { return compute_the_same(rivals.front()->axes, point.axes); });
    if (group == groups.end()) group = groups.insert(group, std::vector<const PlanRecord*>());
    group->push_back(&point);
  }
  return groups;
}

/// Points that are as fast as far as the table shows stand in the order of their communication: an estimate takes for
/// granted that all of it is hidden where it can be.
std::pair<double, double> rank_in_table(const PlanRecord* point) {
  return {std::stod(milliseconds(point->estimate->full_s)), point->estimate->comm_only_s};
}

/// Estimates were off by about as much where they stand beside measured times (docs/estimating.md).
constexpr double kTellsApart = 0.05;

std::string note_on_close_times(const std::vector<const PlanRecord*>& by_time) {
  const double fastest = by_time.front()->estimate->full_s;
  const auto is_told_apart = [&](const PlanRecord* p) { return p->estimate->full_s > fastest * (1 + kTellsApart); };
  const auto end = std::ranges::find_if(by_time, is_told_apart);
  const auto count = end - by_time.begin();
  if (count < 2 || !(fastest > 0)) return {};
  return fmt::format(
      "# the first {} differ by {}%, less than an estimate can tell: the less communication, the safer\n", count,
      percent((*(end - 1))->estimate->full_s / fastest - 1));
}

}  // namespace

double load_balance_of(const PlanRecord& point) {
  double largest = 0;
  for (const PlannedRank& rank : point.ranks) largest = std::max(largest, static_cast<double>(rank.figures.flops));
  return largest > 0 ? static_cast<double>(point.work.flops) / point.work.ranks / largest : 1;
}

std::int64_t peak_memory_of(const PlanRecord& point) {
  return point.ranks.empty() ? 0 : std::ranges::max(point.ranks, {}, &PlannedRank::memory_bytes).memory_bytes;
}

Timing timing_of(const TimeEstimate& estimate) {
  return {.full = summarize({estimate.full_s}),
          .compute_only = summarize({estimate.compute_only_s}),
          .comm_only = summarize({estimate.comm_only_s})};
}

Json json_of(const PlanFile& file) {
  Json json = {{"schema", {{"name", "cpbench.plan"}, {"version", kPlanVersion}}},
               {"tool", json_of(file.tool)},
               {"command", json_of(file.command)},
               {"ranks_per_node", file.ranks_per_node},
               {"backend", file.backend}};
  json["points"] = Json::array();
  for (const PlanRecord& point : file.points) json["points"].push_back(json_of(point));
  json["exit_code"] = file.exit_code;
  return json;
}

std::string estimates_table(std::span<const PlanRecord> points, std::optional<std::int64_t> available_bytes) {
  std::vector<std::vector<const PlanRecord*>> rivals = rivals_of(points);
  if (rivals.empty()) return {};
  std::vector<Json> cases;
  for (const auto& group : rivals) {
    for (const PlanRecord* point : group) cases.push_back(point->axes);
  }
  const auto identity = case_columns(extra_axes_of(cases));
  const auto figures = estimate_columns(available_bytes);
  std::string text = "# estimated times, fastest first\n" + column_names(identity, figures);
  for (auto& group : rivals) {
    std::ranges::stable_sort(group, {}, rank_in_table);
    if (&group != &rivals.front()) text += "#\n";
    for (const PlanRecord* point : group) {
      text += without_trailing_spaces(" " + cells(identity, point->axes) + cells(figures, *point)) + "\n";
    }
    text += note_on_close_times(group);
  }
  return text;
}

}  // namespace cpbench
