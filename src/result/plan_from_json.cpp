#include <algorithm>
#include <stdexcept>

#include "result/from_json.hpp"
#include "result/plan.hpp"
#include "support/error.hpp"

namespace cpbench {
namespace {

TimeEstimate estimate_of(const Json& json) {
  return {
      .full_s = json.at("full_s"), .compute_only_s = json.at("compute_only_s"), .comm_only_s = json.at("comm_only_s")};
}

LinkModel links_of(const std::string& text, int ranks_per_node) {
  try {
    LinkModel links = parse_link_model(text);
    links.ranks_per_node = ranks_per_node;
    return links;
  } catch (const Error& error) {  // whose text speaks to whoever types links
    throw std::runtime_error(error.what());
  }
}

MachineModel machine_of(const Json& json, int ranks_per_node) {
  const auto rate = [&](const char* key, double unit) {
    const Json& value = json.at(key);
    return value.is_null() ? std::nullopt : std::optional(value.get<double>() * unit);
  };
  return {.links = links_of(json.at("links"), ranks_per_node),
          .forward_flops_per_second = rate("forward_tflops", 1e12),
          .backward_flops_per_second = rate("backward_tflops", 1e12),
          .memory_bytes_per_second = rate("memory_bandwidth", 1e9)};
}

PlannedRank planned_rank_of(const Json& json) {
  const Json& sent = json.at("bytes_sent");
  PlannedRank rank{.tokens = json.at("tokens"), .figures = {}, .memory_bytes = json.at("memory_bytes"), .estimate = {}};
  rank.figures.flops = flops_of(json.at("flops"));
  rank.figures.messages = json.at("messages");
  for (const Link link : kAllLinks) {
    rank.figures.bytes_by_link[static_cast<std::size_t>(link)] = sent.at(std::string(name_of(link)));
  }
  rank.figures.bytes_within_node = sent.at("within_node");
  rank.figures.bytes_between_nodes = sent.at("between_nodes");
  if (json.contains("estimate")) rank.estimate = estimate_of(json.at("estimate"));
  return rank;
}

PlanRecord plan_record_of(const Json& json, int ranks_per_node) {
  const PointRecord begun = begun_record_of(json);
  PlanRecord point{.id = begun.id, .axes = begun.axes, .status = begun.status, .reason = begun.reason};
  if (json.contains("faults")) point.faults = json.at("faults").get<std::vector<std::string>>();
  if (!json.contains("ranks")) return point;
  for (const Json& rank : json.at("ranks")) {
    point.ranks.push_back(planned_rank_of(rank));
    point.work.add(point.ranks.back().figures);
  }
  point.work.flops = flops_of(json.at("flops"));
  point.work.tokens = point.axes.at("batch").get<std::int64_t>() * point.axes.at("seq_len").get<std::int64_t>();
  point.work.ranks = static_cast<int>(point.ranks.size());
  if (!json.contains("estimate")) return point;
  point.estimate = estimate_of(json.at("estimate"));
  point.machine = machine_of(json.at("estimate").at("machine"), ranks_per_node);
  return point;
}

}  // namespace

PlanFile plan_file_of(const Json& document) {
  PlanFile file{.tool = tool_of(document.at("tool")),
                .command = command_of(document.at("command")),
                .ranks_per_node = document.at("ranks_per_node"),
                .backend = document.at("backend")};
  if (document.contains("available_bytes")) file.available_bytes = document.at("available_bytes");
  for (const Json& point : document.at("points")) file.points.push_back(plan_record_of(point, file.ranks_per_node));
  file.exit_code = document.at("exit_code");
  return file;
}

}  // namespace cpbench
