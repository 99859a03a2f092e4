#include "result/plan.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <string>

#include "result/from_json.hpp"

namespace cpbench {
namespace {

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

constexpr double kGibi = 1024.0 * 1024 * 1024;

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
  for (const Link link : kAllLinks) {
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

/// What a plan's figures depend on besides the case, as far as it is known.
Json axes_of_machine(const PlanFile& file, const PlanRecord& point) {
  Json axes = {{"ranks_per_node", file.ranks_per_node}, {"backend", file.backend}};
  if (file.available_bytes) axes["memory"] = static_cast<double>(*file.available_bytes) / kGibi;
  if (!point.machine) return axes;
  const Json machine = json_of(*point.machine);
  for (const auto& item : machine.items()) {
    if (!item.value().is_null()) axes[item.key()] = item.value();
  }
  return axes;
}

PlanFigures plan_figures_of(const PlanFile& file, const PlanRecord& point) {
  PlanFigures figures{.load_balance = {}, .bytes_between_nodes = {}, .available_bytes = file.available_bytes};
  if (point.ranks.empty()) return figures;
  figures.load_balance = load_balance_of(point);
  if (file.ranks_per_node == 0) return figures;
  const auto between = [](const PlannedRank& rank) { return rank.figures.bytes_between_nodes; };
  figures.bytes_between_nodes = between(std::ranges::max(point.ranks, {}, between));
  return figures;
}

PointRecord point_of(const PlanFile& file, const PlanRecord& planned) {
  PointRecord point;
  point.id = planned.id;
  point.axes = planned.axes;
  point.axes.update(axes_of_machine(file, planned));
  point.status = planned.status;
  point.reason = planned.faults.empty() ? planned.reason : one_line(fmt::format("{}", fmt::join(planned.faults, "; ")));
  point.plan = plan_figures_of(file, planned);
  if (planned.ranks.empty()) return point;
  point.memory = MemoryFigures{.planned_bytes = peak_memory_of(planned), .peak_bytes = {}};
  if (planned.estimate) point.timing = timing_of(*planned.estimate);
  if (point.timing) point.throughput = throughput_of(*point.timing, planned.work);
  point.comm = comm_figures_of(point.timing.value_or(Timing()), planned.work);
  return point;
}

}  // namespace

std::vector<PointRecord> points_of(const PlanFile& file) {
  std::vector<PointRecord> points;
  for (const PlanRecord& planned : file.points) points.push_back(point_of(file, planned));
  return points;
}

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
  if (file.available_bytes) json["available_bytes"] = *file.available_bytes;
  json["points"] = Json::array();
  for (const PlanRecord& point : file.points) json["points"].push_back(json_of(point));
  json["exit_code"] = file.exit_code;
  return json;
}

}  // namespace cpbench
