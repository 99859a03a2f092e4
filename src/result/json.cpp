#include "result/json.hpp"

#include <cmath>

namespace cpbench {
namespace {

template <typename T>
void set(Json& json, const char* key, const std::optional<T>& value) {
  if (value) json[key] = *value;
}

template <typename T>
Json nullable(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json json_of(const Environment& environment) {
  Json json = {{"hostname", environment.hostname}, {"kernel", environment.kernel}, {"cpu", environment.cpu}};
  set(json, "mpi", environment.mpi);
  set(json, "cuda", environment.cuda);
  set(json, "driver", environment.driver);
  set(json, "nccl_header", environment.nccl_header);
  set(json, "nccl_library", environment.nccl_library);
  json["variables"] = Json::object();
  for (const auto& [name, value] : environment.variables) json["variables"][name] = value;
  return json;
}

Json json_of(const RankInfo& rank) {
  return {{"rank", rank.rank},     {"host", rank.host},           {"local_rank", rank.local_rank},
          {"device", rank.device}, {"uuid", nullable(rank.uuid)}, {"isa", nullable(rank.isa)},
          {"cpus", rank.cpus}};
}

Json json_of(const ValidationReport& report) {
  Json tensors = Json::object();
  for (const TensorReport& tensor : report.tensors) {
    Json& json = tensors[tensor.tensor];
    json = {{"max_abs", json_of_figure(tensor.max_abs)},
            {"rel_l2", json_of_figure(tensor.rel_l2)},
            {"worst_block_rel", json_of_figure(tensor.worst_block_rel)},
            {"tolerance", json_of_figure(tensor.tolerance)},
            {"passed", tensor.passed}};
    if (!tensor.note.empty()) json["note"] = tensor.note;
  }
  return {{"reference", report.reference}, {"passed", report.passed}, {"tensors", tensors}};
}

Json json_of(const TimingSummary& timing) {
  Json samples = Json::array();
  for (double sample : timing.samples_s) samples.push_back(json_of_figure(sample));
  return {{"median_s", json_of_figure(timing.median_s)},
          {"q1_s", json_of_figure(timing.q1_s)},
          {"q3_s", json_of_figure(timing.q3_s)},
          {"min_s", json_of_figure(timing.min_s)},
          {"samples_s", samples}};
}

Json json_of(const Timing& timing) {
  return {{"full", json_of(timing.full)},
          {"compute_only", json_of(timing.compute_only)},
          {"comm_only", json_of(timing.comm_only)}};
}

Json json_of(const Throughput& throughput) {
  return {{"flop_model", throughput.flop_model},
          {"flops", json_of_flops(throughput.flops)},
          {"tflops_per_rank", json_of_figure(throughput.tflops_per_rank)},
          {"iterations_per_s", json_of_figure(throughput.iterations_per_s)},
          {"tokens_per_s", json_of_figure(throughput.tokens_per_s)},
          {"fraction_of_compute_only", json_of_figure(throughput.fraction_of_compute_only)},
          {"peak_tflops", json_of_figure(throughput.peak_tflops)},
          {"fraction_of_peak", json_of_figure(throughput.fraction_of_peak)}};
}

Json json_of(const CommFigures& comm) {
  return {{"bytes_sent_per_rank", comm.bytes_sent_per_rank},
          {"bus_bandwidth", json_of_figure(comm.bus_bandwidth)},
          {"exposed_s", json_of_figure(comm.exposed_s)},
          {"overlap_efficiency", json_of_figure(comm.overlap_efficiency)}};
}

Json json_of(const MemoryFigures& memory) {
  return {{"planned_bytes", memory.planned_bytes}, {"peak_bytes", nullable(memory.peak_bytes)}};
}

Json json_of(const std::vector<RankDeviceState>& devices) {
  Json json = Json::array();
  for (const auto& [rank, state] : devices) {
    Json one = {{"rank", rank}};
    one.update(json_of(state));
    json.push_back(one);
  }
  return json;
}

Json json_of(const std::vector<Step>& steps) {
  Json json = Json::array();
  for (const Step& step : steps) {
    json.push_back({{"label", step.label},
                    {"kind", step.kind},
                    {"stream", step.stream},
                    {"pass", step.pass},
                    {"begin_s", json_of_figure(step.begin_s)},
                    {"end_s", json_of_figure(step.end_s)}});
  }
  return json;
}

Json json_of(const Summary& summary) {
  Json json = {{"points", summary.points}};
  for (int i = 0; i < kStatuses; ++i) json[std::string(name_of(static_cast<Status>(i)))] = summary.by_status[i];
  json["exit_code"] = summary.exit_code;
  json["elapsed_s"] = json_of_figure(summary.elapsed_s);
  return json;
}

template <typename T>
void set_object(Json& json, const char* key, const std::optional<T>& value) {
  if (value) json[key] = json_of(*value);
}

}  // namespace

Json schema_entry(const Json& document, const char* key) {
  const Json schema = document.is_object() ? document.value("schema", Json()) : Json();
  return schema.is_object() ? schema.value(key, Json()) : Json();
}

Json json_of_figure(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? Json(*value) : Json(nullptr);
}

Json json_of_flops(int128 flops) {
  constexpr std::int64_t kExactInDouble = std::int64_t{1} << 53;
  if (flops <= kExactInDouble) return static_cast<std::int64_t>(flops);
  return static_cast<double>(flops);
}

Json json_of(const Tool& tool) {
  return {{"version", tool.version},
          {"git", nullable(tool.git)},
          {"dirty", nullable(tool.dirty)},
          {"build", {{"type", tool.build.type}, {"compiler", tool.build.compiler}, {"flags", tool.build.flags}}}};
}

Json json_of(const Command& command) {
  return {{"argv", command.argv},
          {"config", nullable(command.config)},
          {"sha256", nullable(command.sha256)},
          {"started", command.started}};
}

Json json_of(const DeviceState& state) {
  return {{"sm_clock_mhz", json_of_figure(state.sm_clock_mhz)},
          {"lowest_sm_clock_mhz", json_of_figure(state.lowest_sm_clock_mhz)},
          {"memory_clock_mhz", json_of_figure(state.memory_clock_mhz)},
          {"power_w", json_of_figure(state.power_w)},
          {"highest_power_w", json_of_figure(state.highest_power_w)},
          {"throttled_by", state.throttled_by}};
}

DeviceState device_state_of(const Json& json) {
  return {.sm_clock_mhz = json.at("sm_clock_mhz"),
          .lowest_sm_clock_mhz = json.at("lowest_sm_clock_mhz"),
          .memory_clock_mhz = json.at("memory_clock_mhz"),
          .power_w = json.at("power_w"),
          .highest_power_w = json.at("highest_power_w"),
          .throttled_by = json.at("throttled_by").get<std::vector<std::string>>()};
}

Json json_of(const PointRecord& point) {
  Json json = {{"id", point.id}, {"case", point.axes}, {"status", std::string(name_of(point.status))}};
  if (!point.reason.empty()) json["reason"] = point.reason;
  set_object(json, "validation", point.validation);
  set_object(json, "timing", point.timing);
  if (point.status == Status::kOk) set_object(json, "throughput", point.throughput);
  set_object(json, "comm", point.comm);
  set_object(json, "memory", point.memory);
  if (point.reserved_multiprocessors > 0) json["reserved_multiprocessors"] = point.reserved_multiprocessors;
  if (!point.devices.empty()) json["devices"] = json_of(point.devices);
  if (!point.steps.empty()) json["steps"] = json_of(point.steps);
  return json;
}

Json json_of(const Header& header) {
  Json ranks = Json::array();
  for (const RankInfo& rank : header.ranks) ranks.push_back(json_of(rank));
  Json json = {{"schema", {{"name", "cpbench.result"}, {"version", kResultVersion}}},
               {"tool", json_of(header.tool)},
               {"command", json_of(header.command)},
               {"environment", json_of(header.environment)},
               {"ranks", ranks}};
  if (!header.resumed.empty()) json["resumed"] = header.resumed;
  return json;
}

Json json_of(const ResultFile& file) {
  Json json = json_of(file.header);
  json["points"] = Json::array();
  for (const PointRecord& point : file.points) json["points"].push_back(json_of(point));
  json["summary"] = json_of(file.summary);
  json["complete"] = true;
  return json;
}

std::string text_of(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace cpbench
