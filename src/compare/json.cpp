#include "compare/report.hpp"
#include "result/doctor_figures.hpp"
#include "result/origin.hpp"
#include "result/tool.hpp"

namespace cpbench {
namespace {

Json json_of(const PointComparison& point, const std::optional<PointSide>& side, LaunchOf of) {
  if (!side) return nullptr;
  Json json;
  if (of == LaunchOf::kDoctor) {
    json["figure"] = figure_of_time(point.axes, side->median_s);
  } else {
    json["median_s"] = side->median_s;
  }
  json["launches"] = side->launches;
  return json;
}

Json json_of(const std::optional<Change>& change) {
  if (!change) return nullptr;
  Json json = {{"value", change->value}, {"low", nullptr}, {"high", nullptr}};
  if (change->interval) json.update({{"low", change->interval->low}, {"high", change->interval->high}});
  return json;
}

Json json_of(const PointComparison& point, LaunchOf of) {
  Json json = {{"case", point.axes}, {"verdict", std::string(name_of(point.outcome))}};
  if (!point.reason.empty()) json["reason"] = point.reason;
  json["base"] = json_of(point, point.base, of);
  json["head"] = json_of(point, point.head, of);
  json["change"] = {{"full", json_of(point.full)},
                    {"compute_only", json_of(point.compute_only)},
                    {"comm_only", json_of(point.comm_only)}};
  return json;
}

Json json_of(std::span<const Launch> launches) {
  Json json = Json::array();
  for (const Launch& launch : launches) {
    const Origin origin = origin_of(launch.header);
    json.push_back({{"file", launch.path},
                    {"tool", origin.tool},
                    {"build", origin.build},
                    {"mpi", origin.mpi},
                    {"devices", origin.devices},
                    {"hosts", origin.hosts},
                    {"cpus", origin.cpus},
                    {"variables", origin.variables},
                    {"started", launch.started()},
                    {"finished", launch.finished}});
  }
  return json;
}

}  // namespace

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
  for (const PointComparison& point : comparison.points) json["points"].push_back(json_of(point, comparison.of));
  json["summary"] = {{"points", comparison.points.size()}};
  for (const Outcome outcome : kOutcomes) json["summary"][std::string(name_of(outcome))] = comparison.count(outcome);
  json["summary"]["unmeasured"] = comparison.unmeasured;
  json["summary"]["exit_code"] = static_cast<int>(comparison.exit_code(strict));
  return json;
}

}  // namespace cpbench
