#include "compare/launch.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <sstream>

#include "result/json.hpp"
#include "result/tool.hpp"
#include "support/error.hpp"
#include "support/file_contents.hpp"
#include "support/split.hpp"

namespace cpbench {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse_missing(const std::string& place, const std::string& why) {
  throw Error(ExitCode::kBaselineMissing, fmt::format("{}: {}", place, why));
}

struct ResultPlace {
  std::string path;
  bool is_found;  ///< in a directory, where other files may lie too
};

std::vector<ResultPlace> results_in(const std::string& directory) {
  std::vector<ResultPlace> places;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    const fs::path& path = entry.path();
    const bool is_left_behind = path.extension() == ".jsonl" && !fs::exists(fs::path(path).replace_extension(".json"));
    if (path.extension() == ".json" || is_left_behind) places.push_back({path.string(), true});
  }
  if (places.empty()) refuse_missing(directory, "no .json or .jsonl file is in this directory");
  std::ranges::sort(places, {}, &ResultPlace::path);
  return places;
}

std::vector<ResultPlace> results_at(const std::string& places) {
  std::vector<ResultPlace> results;
  for (const std::string_view part : split(places, ',')) {
    const std::string place(part);
    if (place.empty()) refuse("\"{}\": a name in the list is empty", places);
    if (!fs::exists(place)) refuse_missing(place, "there is no such result file or directory");
    if (fs::is_directory(place)) {
      const std::vector<ResultPlace> found = results_in(place);
      results.insert(results.end(), found.begin(), found.end());
    } else {
      results.push_back({place, false});
    }
  }
  return results;
}

/// The head and the points of the lines that a running job writes; the last line may be cut short.
Json document_of_lines(const std::string& text) {
  Json document;
  std::istringstream lines(text.substr(0, text.rfind('\n') + 1));
  for (std::string line; std::getline(lines, line);) {
    if (line.empty()) continue;
    if (document.is_null()) {
      document = Json::parse(line);
      document["points"] = Json::array();
    } else {
      document["points"].push_back(Json::parse(line));
    }
  }
  return document;
}

Json document_of(const std::string& path) {
  const std::string text = contents_of(path);
  return path.ends_with(".jsonl") ? document_of_lines(text) : Json::parse(text);
}

void require_schema(const std::string& path, const Json& document) {
  const Json schema = document.is_object() ? document.value("schema", Json()) : Json();
  const Json expected = {{"name", "cpbench.result"}, {"version", kResultVersion}};
  if (schema != expected) refuse("{} is not a result file of this version: its schema is {}", path, schema.dump());
}

/// `2 x AMD EPYC, 2 x NVIDIA H200`
std::string devices_of(const Json& ranks) {
  std::map<std::string, int> counts;
  for (const Json& rank : ranks) ++counts[rank.at("device").get<std::string>()];
  std::vector<std::string> parts;
  for (const auto& [device, count] : counts) parts.push_back(fmt::format("{} x {}", count, device));
  return fmt::format("{}", fmt::join(parts, ", "));
}

/// The distinct texts that ranks have under `key`.
std::string distinct_of(const Json& ranks, const char* key) {
  std::set<std::string> texts;
  for (const Json& rank : ranks) texts.insert(rank.at(key).get<std::string>());
  return fmt::format("{}", fmt::join(texts, ", "));
}

/// Without those that differ from job to job and change nothing; hosts are named elsewhere.
std::string variables_of(const Json& environment) {
  constexpr std::array<std::string_view, 3> kOfTheJob = {"CPBENCH_CONFIG_DIR", "SLURM_JOB_ID", "SLURM_JOB_NODELIST"};
  std::vector<std::string> texts;
  for (const auto& item : environment.at("variables").items()) {
    if (std::ranges::count(kOfTheJob, item.key()) > 0) continue;
    texts.push_back(item.key() + "=" + item.value().get<std::string>());
  }
  return fmt::format("{}", fmt::join(texts, " "));
}

Origin origin_of(const Json& document) {
  const Json &tool = document.at("tool"), &build = tool.at("build"), &git = tool.at("git");
  return {.tool = revision_text(tool.at("version").get<std::string>(),
                                git.is_null() ? std::nullopt : std::optional(git.get<std::string>()),
                                tool.at("dirty") == Json(true)),
          .build = fmt::format("{} {} {}", build.at("type").get<std::string>(), build.at("compiler").get<std::string>(),
                               build.at("flags").get<std::string>()),
          .mpi = document.at("environment").value("mpi", ""),
          .devices = devices_of(document.at("ranks")),
          .hosts = distinct_of(document.at("ranks"), "host"),
          .cpus = distinct_of(document.at("ranks"), "cpus"),
          .variables = variables_of(document.at("environment")),
          .started = document.at("command").at("started")};
}

std::vector<double> times_of(const Json& timing, const char* which) {
  auto times = timing.at(which).at("samples_s").get<std::vector<double>>();
  const auto is_time = [](double time) { return std::isfinite(time) && time >= 0; };
  if (times.empty() || !std::ranges::all_of(times, is_time)) throw std::runtime_error("samples_s holds no times");
  return times;
}

/// A row of a table is one line, whatever a message has.
std::string one_line(std::string text) {
  std::ranges::replace_if(
      text, [](unsigned char c) { return c < ' ' || c == 0x7f; }, ' ');
  return text;
}

LaunchPoint point_of(const Json& json) {
  if (!json.at("case").is_object()) throw std::runtime_error("a case is not an object");
  LaunchPoint point{.id = json.at("id"),
                    .axes = json.at("case"),
                    .status = json.at("status"),
                    .reason = one_line(json.value("reason", "")),
                    .times = {}};
  const bool is_ok = point.status == name_of(Status::kOk);
  if (!is_ok || !json.contains("timing")) {
    if (is_ok) point.status = "not measured";
    return point;
  }
  const Json& timing = json.at("timing");
  point.times = {.full = times_of(timing, "full"),
                 .compute_only = times_of(timing, "compute_only"),
                 .comm_only = times_of(timing, "comm_only")};
  if (std::ranges::min(point.times.full) <= 0) throw std::runtime_error("samples_s holds a time of 0");
  point.sends = json.contains("comm") && json.at("comm").at("bytes_sent_per_rank") > 0;
  const Json throughput = json.value("throughput", Json::object());
  if (const Json rate = throughput.value("tflops_per_rank", Json()); rate.is_number()) point.tflops_per_rank = rate;
  return point;
}

/// What else `cpbench` writes, and a directory of results may have.
bool is_another_output(const Json& document) {
  if (!document.is_object()) return false;
  const Json schema = document.value("schema", Json());
  const Json name = schema.is_object() ? schema.value("name", Json()) : Json();
  return name == "cpbench.comparison" || name == "cpbench.plan" || document.contains("traceEvents");
}

/// Empty for another output that was found in a directory.
std::optional<Launch> launch_of(const ResultPlace& place) {
  const Json document = document_of(place.path);
  if (place.is_found && is_another_output(document)) return std::nullopt;
  require_schema(place.path, document);
  Launch launch{.path = place.path, .origin = origin_of(document), .points = {}};
  for (const Json& point : document.at("points")) launch.points.push_back(point_of(point));
  return launch;
}

/// Errors of the JSON library and of the file system name neither file nor remedy.
std::optional<Launch> launch_or_refusal(const ResultPlace& place) {
  try {
    return launch_of(place);
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    refuse("{} cannot be read as a result file: {}", place.path, error.what());
  }
}

std::vector<ResultPlace> results_or_refusal(const std::string& places) {
  try {
    return results_at(places);
  } catch (const fs::filesystem_error& error) {
    refuse("{}: {}", places, error.code().message());
  }
}

}  // namespace

std::vector<Launch> read_launches(const std::string& places) {
  std::vector<Launch> launches;
  for (const ResultPlace& place : results_or_refusal(places)) {
    std::optional<Launch> launch = launch_or_refusal(place);
    if (!launch) continue;
    const auto copy = std::ranges::find_if(launches, [&](const Launch& other) { return are_the_same(other, *launch); });
    if (copy != launches.end()) refuse("{} and {} are the same launch, which counts once", copy->path, place.path);
    launches.push_back(std::move(*launch));
  }
  if (launches.empty()) refuse_missing(places, "no result file is in it");
  return launches;
}

bool are_the_same(const Launch& a, const Launch& b) {
  const auto same_times = [](const LaunchPoint& x, const LaunchPoint& y) {
    return x.axes == y.axes && x.times == y.times;
  };
  return a.origin.started == b.origin.started && std::ranges::equal(a.points, b.points, same_times);
}

}  // namespace cpbench
