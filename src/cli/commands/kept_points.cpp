#include "cli/commands/kept_points.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "result/case_columns.hpp"
#include "result/file.hpp"
#include "result/launch.hpp"
#include "result/origin.hpp"
#include "support/counted.hpp"
#include "support/error.hpp"

namespace cpbench {
namespace {

struct NamedOrigin {
  const char* name;
  std::string Origin::*what;
};
constexpr NamedOrigin kMustBeAlike[] = {{"another program", &Origin::tool},
                                        {"another build", &Origin::build},
                                        {"another MPI", &Origin::mpi},
                                        {"other devices", &Origin::devices}};
/// A job that is requeued may well get other nodes; each point's are in the file.
constexpr NamedOrigin kMayDiffer[] = {
    {"hosts", &Origin::hosts}, {"CPUs", &Origin::cpus}, {"variables", &Origin::variables}};

std::optional<std::string> earlier_file(const std::string& result) {
  for (const std::string& path : {lines_path(result), result}) {
    if (std::filesystem::exists(path)) return path;
  }
  return std::nullopt;
}

void require_alike(const std::string& path, const Origin& earlier, const Origin& now) {
  for (const auto& [name, what] : kMustBeAlike) {
    if (earlier.*what == now.*what) continue;
    refuse("--resume: {} is of {}: {}, and not {}; name another result, or replace this one with --overwrite", path,
           name, earlier.*what, now.*what);
  }
}

std::vector<std::string> notes_on(const std::string& path, std::size_t kept, std::size_t points, const Origin& earlier,
                                  const Origin& now) {
  if (kept == 0) return {};
  std::vector<std::string> notes = {fmt::format("note: {} has {} of {} already, which are kept", path, kept,
                                                counted(static_cast<std::int64_t>(points), "point"))};
  for (const auto& [name, what] : kMayDiffer) {
    if (earlier.*what == now.*what) continue;
    notes.push_back(fmt::format("note: not alike, {}: {} | {}", name, earlier.*what, now.*what));
  }
  return notes;
}

bool is_finished(const PointRecord& record, bool measured) {
  if (record.status == Status::kInvalid) return true;
  return measured ? record.is_measured() : record.status == Status::kOk;
}

/// In which of its axes the point is another than the sweep's nearest.
std::string difference_of(const PointRecord& point, const std::vector<PointRecord>& sweep) {
  const auto difference = [&](const PointRecord& other) { return differing_axes(point.axes, other.axes); };
  const PointRecord& nearest =
      *std::ranges::min_element(sweep, {}, [&](const PointRecord& other) { return difference(other).size(); });
  std::vector<std::string> texts;
  for (const std::string& axis : difference(nearest)) {
    const Json there = point.axes.value(axis, Json()), here = nearest.axes.value(axis, Json());
    texts.push_back(fmt::format("{} {} instead of {}", axis, there.dump(), here.dump()));
  }
  return fmt::format("{}", fmt::join(texts, ", "));
}

/// Each finished point's job: the one that wrote the file, or one of those that it had itself resumed.
class Makers {
 public:
  explicit Makers(const WholeLaunch& whole) : former_(whole.launch.header.resumed) {
    former_.push_back({{"command", whole.document.at("command")},
                       {"environment", whole.document.at("environment")},
                       {"ranks", whole.document.at("ranks")},
                       {"points", Json::array()}});
    now_ = former_;
    for (Json& maker : now_) maker["points"] = Json::array();
  }

  void keep(const std::string& former_id, const std::string& id) {
    const auto made = [&](const Json& maker) {
      return std::ranges::count(maker.at("points").get<std::vector<std::string>>(), former_id) > 0;
    };
    const auto index = std::min(std::ranges::find_if(former_, made) - former_.begin(), std::ssize(former_) - 1);
    now_[static_cast<std::size_t>(index)]["points"].push_back(id);
  }
  /// Of which points are kept.
  std::vector<Json> of_kept() const {
    std::vector<Json> makers = now_;
    std::erase_if(makers, [](const Json& maker) { return maker.at("points").empty(); });
    return makers;
  }

 private:
  std::vector<Json> former_, now_;  ///< with the points' ids in the file, and in this sweep
};

}  // namespace

KeptPoints kept_points(const std::string& result, const std::vector<PointRecord>& sweep, const Header& header,
                       bool measured) {
  KeptPoints kept;
  const std::optional<std::string> path = earlier_file(result);
  if (!path) return kept;
  WholeLaunch whole = read_whole(*path);
  const Origin earlier = origin_of(whole.launch.header), now = origin_of(header);
  require_alike(*path, earlier, now);

  Makers makers(whole);
  for (std::size_t i = 0; i < whole.launch.points.size(); ++i) {
    PointRecord& record = whole.launch.points[i];
    Json& point = whole.document["points"][i];
    if (!is_finished(record, measured)) continue;
    const auto same = std::ranges::find(sweep, record.axes, &PointRecord::axes);
    if (same == sweep.end()) {
      refuse("--resume: {} has a point that is none of this sweep, {} with {}; name another result", *path, record.id,
             difference_of(record, sweep));
    }
    if (!kept.indices.insert(static_cast<std::size_t>(same - sweep.begin())).second) continue;
    makers.keep(record.id, same->id);
    point["id"] = record.id = same->id;  // a sweep that has grown numbers its points anew
    kept.records.push_back(std::move(record));
    kept.points.push_back(std::move(point));
  }
  kept.makers = makers.of_kept();
  kept.notes = notes_on(*path, kept.indices.size(), sweep.size(), earlier, now);
  return kept;
}

}  // namespace cpbench
