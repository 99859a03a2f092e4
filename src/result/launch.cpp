#include "result/launch.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>

#include "result/doctor.hpp"
#include "result/doctor_figures.hpp"
#include "result/file.hpp"
#include "result/from_json.hpp"
#include "result/json.hpp"
#include "result/plan.hpp"
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

struct KindOfFile {
  LaunchOf of;
  std::string_view schema;
  int version;
  std::string_view one, many;
};
constexpr KindOfFile kKinds[] = {
    {LaunchOf::kRun, "cpbench.result", kResultVersion, "a result of run", "results of run"},
    {LaunchOf::kPlan, "cpbench.plan", kPlanVersion, "a plan", "plans"},
    {LaunchOf::kDoctor, "cpbench.doctor", kDoctorVersion, "a record of doctor", "records of doctor"}};

const KindOfFile& kind_of(LaunchOf of) { return *std::ranges::find(kKinds, of, &KindOfFile::of); }

bool is_of(const KindOfFile& kind, const Json& document) { return schema_entry(document, "name") == kind.schema; }

void require(const KindOfFile& kind, const std::string& path, const Json& document) {
  const auto refuse_other = [&](std::string_view what) { refuse("{} is {}, not {}", path, what, kind.many); };
  for (const KindOfFile& other : kKinds) {
    if (other.of != kind.of && is_of(other, document)) refuse_other(other.one);
  }
  if (schema_entry(document, "name") == "cpbench.comparison") refuse_other("a comparison");
  if (document.is_object() && document.contains("traceEvents")) refuse_other("a trace");
  if (!is_of(kind, document)) refuse("{} is no result file of cpbench", path);
  const Json version = schema_entry(document, "version");
  if (version != kind.version) {
    refuse("{} is of version {}, and this program reads version {}", path, version.dump(), kind.version);
  }
}

Launch launch_of_run(const Json& document) {
  Launch launch{.path = {}, .header = header_of(document), .points = {}};
  for (const Json& point : document.at("points")) launch.points.push_back(record_of(point));
  return launch;
}

Launch launch_of_plan(const Json& document) {
  const PlanFile file = plan_file_of(document);
  Launch launch{.path = {}, .header = {}, .points = points_of(file)};
  launch.header.tool = file.tool;
  launch.header.command = file.command;
  return launch;
}

Launch launch_of(const KindOfFile& kind, const std::string& path, const Json& document) {
  require(kind, path, document);
  Launch launch;
  switch (kind.of) {
    case LaunchOf::kRun:
      launch = launch_of_run(document);
      launch.finished = !is_left_behind(path);
      break;
    case LaunchOf::kPlan:
      launch = launch_of_plan(document);
      break;
    case LaunchOf::kDoctor:
      launch = {.path = {}, .header = header_of(document), .points = figures_of_doctor(document)};
      launch.finished = document.value("complete", true);
      break;
  }
  launch.path = path;
  launch.of = kind.of;
  return launch;
}

/// What `read` makes of the file. Errors of the JSON library and of the file system name neither file nor remedy.
template <typename Read>
auto read_or_refuse(const std::string& path, Read&& read) {
  try {
    return read();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    refuse("{} cannot be read as a result file: {}", path, complaint_of(error.what()));
  }
}

struct Found {
  ResultPlace place;
  Json document;
};

std::vector<Found> files_at(const std::string& places) {
  std::vector<Found> files;
  try {
    for (ResultPlace& place : results_at(places)) files.push_back({std::move(place), {}});
  } catch (const fs::filesystem_error& error) {
    refuse("{}: {}", places, error.code().message());
  }
  for (Found& file : files)
    file.document = read_or_refuse(file.place.path, [&] { return document_of(file.place.path); });
  return files;
}

std::vector<Launch> launches_in(const std::string& places, const std::vector<Found>& files, const KindOfFile& kind) {
  std::vector<Launch> launches;
  for (const Found& file : files) {
    if (file.place.is_found && !is_of(kind, file.document)) continue;
    const std::string& path = file.place.path;
    Launch launch = read_or_refuse(path, [&] { return launch_of(kind, path, file.document); });
    const auto copy = std::ranges::find_if(launches, [&](const Launch& other) { return are_the_same(other, launch); });
    if (copy != launches.end()) refuse("{} and {} are the same launch, which counts once", copy->path, path);
    launches.push_back(std::move(launch));
  }
  if (launches.empty()) refuse_missing(places, "no result file is in it");
  return launches;
}

}  // namespace

std::string_view plural_of(LaunchOf of) { return kind_of(of).many; }

std::vector<Launch> read_launches(const std::string& places, LaunchOf else_of) {
  const std::vector<Found> files = files_at(places);
  const auto any = [&](LaunchOf of) {
    return std::ranges::any_of(files, [&](const Found& file) { return is_of(kind_of(of), file.document); });
  };
  return launches_in(places, files, kind_of(any(else_of) && !any(LaunchOf::kRun) ? else_of : LaunchOf::kRun));
}

WholeLaunch read_whole(const std::string& path) {
  return read_or_refuse(path, [&] {
    Json document = document_of(path);
    Launch launch = launch_of(kind_of(LaunchOf::kRun), path, document);
    return WholeLaunch{.launch = std::move(launch), .document = std::move(document)};
  });
}

bool are_the_same(const Launch& a, const Launch& b) {
  const auto times = [](const PointRecord& point) {
    return point.is_measured() ? point.timing->full.samples_s : std::vector<double>();
  };
  const auto same_times = [&](const PointRecord& x, const PointRecord& y) {
    return x.axes == y.axes && times(x) == times(y);
  };
  // Two that measured nothing may have started in the same second.
  return std::ranges::any_of(a.points, &PointRecord::is_measured) && a.started() == b.started() &&
         std::ranges::equal(a.points, b.points, same_times);
}

}  // namespace cpbench
