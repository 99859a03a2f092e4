#include "result/from_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace cpbench {
namespace {

/// None where the key is absent or null.
template <typename T>
std::optional<T> optional_of(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return std::nullopt;
  return found->template get<T>();
}

/// None where the key is absent.
template <typename T>
std::optional<T> part_of(const Json& json, const char* key, T (*read)(const Json&)) {
  return json.contains(key) ? std::optional(read(json.at(key))) : std::nullopt;
}

Environment environment_of(const Json& json) {
  return {.hostname = json.at("hostname"),
          .kernel = json.at("kernel"),
          .cpu = json.at("cpu"),
          .mpi = optional_of<std::string>(json, "mpi"),
          .cuda = optional_of<std::string>(json, "cuda"),
          .driver = optional_of<std::string>(json, "driver"),
          .nccl_header = optional_of<std::string>(json, "nccl_header"),
          .nccl_library = optional_of<std::string>(json, "nccl_library"),
          .variables = json.at("variables").get<std::map<std::string, std::string>>()};
}

RankInfo rank_of(const Json& json) {
  return {.rank = json.at("rank"),
          .host = json.at("host"),
          .local_rank = json.at("local_rank"),
          .device = json.at("device"),
          .uuid = optional_of<std::string>(json, "uuid"),
          .isa = optional_of<std::string>(json, "isa"),
          .cpus = json.at("cpus")};
}

Status status_of(const std::string& name) {
  for (int i = 0; i < kStatuses; ++i) {
    if (name == name_of(static_cast<Status>(i))) return static_cast<Status>(i);
  }
  throw std::runtime_error(fmt::format("there is no status \"{}\"", name));
}

TimingSummary times_of(const Json& json) {
  auto times = json.at("samples_s").get<std::vector<double>>();
  const auto is_time = [](double time) { return std::isfinite(time) && time >= 0; };
  if (times.empty() || !std::ranges::all_of(times, is_time)) throw std::runtime_error("samples_s holds no times");
  return summarize(std::move(times));
}

Timing timing_of(const Json& json) {
  Timing timing{.full = times_of(json.at("full")),
                .compute_only = times_of(json.at("compute_only")),
                .comm_only = times_of(json.at("comm_only"))};
  if (timing.full.min_s <= 0) throw std::runtime_error("samples_s holds a time of 0");
  return timing;
}

ValidationReport validation_of(const Json& json) {
  return {.reference = json.at("reference"), .passed = json.at("passed"), .tensors = {}};
}

Throughput throughput_of(const Json& json) {
  return {.flop_model = json.at("flop_model"),
          .flops = flops_of(json.at("flops")),
          .tflops_per_rank = optional_of<double>(json, "tflops_per_rank"),
          .iterations_per_s = optional_of<double>(json, "iterations_per_s"),
          .tokens_per_s = optional_of<double>(json, "tokens_per_s"),
          .fraction_of_compute_only = optional_of<double>(json, "fraction_of_compute_only"),
          .peak_tflops = optional_of<double>(json, "peak_tflops"),
          .fraction_of_peak = optional_of<double>(json, "fraction_of_peak")};
}

CommFigures comm_of(const Json& json) {
  return {.bytes_sent_per_rank = json.at("bytes_sent_per_rank"),
          .bus_bandwidth = optional_of<double>(json, "bus_bandwidth"),
          .exposed_s = json.at("exposed_s"),
          .overlap_efficiency = optional_of<double>(json, "overlap_efficiency")};
}

MemoryFigures memory_of(const Json& json) {
  return {.planned_bytes = json.at("planned_bytes"), .peak_bytes = optional_of<std::int64_t>(json, "peak_bytes")};
}

}  // namespace

Tool tool_of(const Json& json) {
  const Json& build = json.at("build");
  return {.version = json.at("version"),
          .git = optional_of<std::string>(json, "git"),
          .dirty = optional_of<bool>(json, "dirty"),
          .build = {.type = build.at("type"), .compiler = build.at("compiler"), .flags = build.at("flags")}};
}

Command command_of(const Json& json) {
  return {.argv = json.at("argv").get<std::vector<std::string>>(),
          .config = optional_of<std::string>(json, "config"),
          .sha256 = optional_of<std::string>(json, "sha256"),
          .started = json.at("started")};
}

int128 flops_of(const Json& json) {
  if (json.is_number_integer()) return json.get<std::int64_t>();
  return static_cast<int128>(json.get<double>());
}

std::string one_line(std::string text) {
  std::ranges::replace_if(
      text, [](unsigned char c) { return c < ' ' || c == 0x7f; }, ' ');
  return text;
}

PointRecord begun_record_of(const Json& json) {
  if (!json.at("case").is_object()) throw std::runtime_error("a case is not an object");
  PointRecord point;
  point.id = json.at("id");
  point.axes = json.at("case");
  point.status = status_of(json.at("status"));
  point.reason = one_line(json.value("reason", ""));
  return point;
}

Header header_of(const Json& document) {
  Header header{.tool = tool_of(document.at("tool")),
                .command = command_of(document.at("command")),
                .environment = environment_of(document.at("environment")),
                .ranks = {}};
  for (const Json& rank : document.at("ranks")) header.ranks.push_back(rank_of(rank));
  if (document.contains("resumed")) header.resumed = document.at("resumed").get<std::vector<Json>>();
  for (const Json& earlier : header.resumed) earlier.at("points").get<std::vector<std::string>>();
  return header;
}

PointRecord record_of(const Json& json) {
  PointRecord point = begun_record_of(json);
  point.validation = part_of(json, "validation", validation_of);
  point.timing = part_of(json, "timing", timing_of);
  point.throughput = part_of(json, "throughput", throughput_of);
  point.comm = part_of(json, "comm", comm_of);
  point.memory = part_of(json, "memory", memory_of);
  point.reserved_multiprocessors = json.value("reserved_multiprocessors", 0);
  return point;
}

}  // namespace cpbench
