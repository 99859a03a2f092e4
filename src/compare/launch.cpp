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

#include "result/file.hpp"
#include "result/json.hpp"
#include "result/tool.hpp"
#include "support/error.hpp"
#include "support/file_contents.hpp"
#include "support/json_text.hpp"
#include "support/split.hpp"

namespace cpbench {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse_missing(const std::string& place, const std::string& why) {
  throw Error(ExitCode::kBaselineMissing, fmt::format("{}: {}", place, why));
}

/// Lines of a job that ended before it wrote their result file, `out.json` or `out.dat` for `out.dat.jsonl`.
bool is_left_behind(const fs::path& path) {
  return path.extension() == ".jsonl" && !fs::exists(fs::path(path).replace_extension(".json")) &&
         !fs::is_regular_file(fs::path(path).replace_extension());
}

struct ResultPlace {
  std::string path;
  bool is_found;  ///< in a directory, where other files may lie too
};

std::vector<ResultPlace> results_in(const std::string& directory) {
  std::vector<ResultPlace> places;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    const fs::path& path = entry.path();
    const bool has_result = fs::exists(fs::path(path).replace_extension(".json"));
    if (path.extension() == ".json" || (path.extension() == ".jsonl" && !has_result))
      places.push_back({path.string(), true});
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

/// `text` begins at `first_line` of the file.
Json json_of_text(const std::string& path, const std::string& text, std::size_t first_line = 1) {
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    const std::string lines = lines_path(path);
    const bool has_lines = lines != path && fs::exists(lines);
    refuse("{} is cut short or not JSON (line {}): make it again{}", path, first_line - 1 + line_at(text, error.byte),
           has_lines ? ", or give " + lines : "");
  }
}

/// The head and the points of the lines that a running job writes; the last line may be cut short.
Json document_of_lines(const std::string& path, const std::string& text) {
  std::optional<Json> document;
  std::istringstream lines(text.substr(0, text.rfind('\n') + 1));
  std::size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.empty()) continue;
    Json value = json_of_text(path, line, number);
    if (document) {
      (*document)["points"].push_back(std::move(value));
      continue;
    }
    document = std::move(value);
    if (!document->is_object()) break;
    (*document)["points"] = Json::array();
  }
  if (!document) refuse("{} has no whole line: its launch ended before it began", path);
  return *document;
}

Json document_of(const std::string& path) {
  const std::string text = contents_of(path);
  return path.ends_with(".jsonl") ? document_of_lines(path, text) : json_of_text(path, text);
}

bool is_result(const Json& document) { return schema_entry(document, "name") == "cpbench.result"; }

void require_result(const std::string& path, const Json& document) {
  const Json name = schema_entry(document, "name");
  if (name == "cpbench.plan") refuse("{} is a plan, not results of run", path);
  if (name == "cpbench.comparison") refuse("{} is a comparison, not results of run", path);
  if (document.is_object() && document.contains("traceEvents")) refuse("{} is a trace, not results of run", path);
  if (!is_result(document)) refuse("{} is no result file of cpbench", path);
  const Json version = schema_entry(document, "version");
  if (version != kResultVersion) {
    refuse("{} is of version {}, and this program reads version {}", path, version.dump(), kResultVersion);
  }
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

/// Empty for another file that was found in a directory.
std::optional<Launch> launch_of(const ResultPlace& place) {
  const Json document = document_of(place.path);
  if (place.is_found && !is_result(document)) return std::nullopt;
  require_result(place.path, document);
  Launch launch{
      .path = place.path, .origin = origin_of(document), .points = {}, .finished = !is_left_behind(place.path)};
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
    refuse("{} cannot be read as a result file: {}", place.path, complaint_of(error.what()));
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
  // Two that measured nothing may have started in the same second.
  const bool measured =
      std::ranges::any_of(a.points, [](const LaunchPoint& point) { return !point.times.full.empty(); });
  return measured && a.origin.started == b.origin.started && std::ranges::equal(a.points, b.points, same_times);
}

}  // namespace cpbench
