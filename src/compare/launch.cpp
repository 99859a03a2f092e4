#include "compare/launch.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "result/json.hpp"
#include "support/comma_list.hpp"
#include "support/error.hpp"

namespace cpbench {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse_missing(const std::string& place, const std::string& why) {
  throw Error(ExitCode::kBaselineMissing, fmt::format("{}: {}", place, why));
}

std::vector<std::string> result_files_in(const std::string& directory) {
  std::vector<std::string> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path().string());
  }
  if (files.empty()) refuse_missing(directory, "no .json file is in this directory");
  std::ranges::sort(files);
  return files;
}

std::vector<std::string> files_of(const std::string& places) {
  std::vector<std::string> files;
  for (const std::string_view part : parts_of(places)) {
    const std::string place(part);
    if (place.empty()) refuse("\"{}\": a name in the list is empty", places);
    if (!fs::exists(place)) refuse_missing(place, "there is no such result file or directory");
    const std::vector<std::string> found = fs::is_directory(place) ? result_files_in(place) : std::vector{place};
    files.insert(files.end(), found.begin(), found.end());
  }
  std::set<fs::path> seen;
  for (const std::string& file : files) {
    if (!seen.insert(fs::canonical(file)).second) refuse("{} is named twice: a launch counts once", file);
  }
  return files;
}

std::string contents_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) refuse("{} cannot be read", path);
  return text.str();
}

/// The head and the points of the lines that a running job writes; the last line may be cut short.
Json document_of_lines(const std::string& text) {
  Json document;
  std::istringstream lines(text.substr(0, text.rfind('\n') + 1));
  for (std::string line; std::getline(lines, line);) {
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

std::string hosts_of(const Json& ranks) {
  std::set<std::string> hosts;
  for (const Json& rank : ranks) hosts.insert(rank.at("host").get<std::string>());
  return fmt::format("{}", fmt::join(hosts, ", "));
}

Origin origin_of(const Json& document) {
  const Json &tool = document.at("tool"), &build = tool.at("build"), &git = tool.at("git");
  return {.tool = fmt::format("{} (git {}{})", tool.at("version").get<std::string>(),
                              git.is_null() ? "unknown" : git.get<std::string>(),
                              tool.at("dirty") == Json(true) ? ", dirty" : ""),
          .build = fmt::format("{} {} {}", build.at("type").get<std::string>(), build.at("compiler").get<std::string>(),
                               build.at("flags").get<std::string>()),
          .mpi = document.at("environment").value("mpi", ""),
          .devices = devices_of(document.at("ranks")),
          .hosts = hosts_of(document.at("ranks")),
          .started = document.at("command").at("started")};
}

std::vector<double> times_of(const Json& timing, const char* which) {
  auto times = timing.at(which).at("samples_s").get<std::vector<double>>();
  const auto is_time = [](double time) { return std::isfinite(time) && time >= 0; };
  if (times.empty() || !std::ranges::all_of(times, is_time)) throw std::runtime_error("samples_s holds no times");
  return times;
}

LaunchPoint point_of(const Json& json) {
  LaunchPoint point{.id = json.at("id"),
                    .axes = json.at("case"),
                    .status = json.at("status"),
                    .reason = json.value("reason", ""),
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
  return point;
}

Launch launch_of(const std::string& path) {
  try {
    const Json document = document_of(path);
    require_schema(path, document);
    Launch launch{.path = path, .origin = origin_of(document), .points = {}};
    for (const Json& point : document.at("points")) launch.points.push_back(point_of(point));
    return launch;
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {  // of the JSON library, for what is no JSON and for what lacks a field
    refuse("{} cannot be read as a result file: {}", path, error.what());
  }
}

}  // namespace

std::vector<Launch> read_launches(const std::string& places) {
  std::vector<Launch> launches;
  for (const std::string& file : files_of(places)) launches.push_back(launch_of(file));
  return launches;
}

}  // namespace cpbench
