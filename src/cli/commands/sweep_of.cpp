#include "cli/commands/sweep_of.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>
#include <utility>

#include "cli/axes/legal.hpp"
#include "cli/config/config_file.hpp"
#include "result/sha256.hpp"
#include "support/error.hpp"

namespace cpbench {
namespace {

bool is_prime(int n) { return n > 1 && divisors_of(n).size() == 2; }

/// What an algorithm has beside another one, as long as its grid leaves room for it.
struct Level {
  std::string_view algorithm;
  bool (*is_there)(const Grid& grid);
  std::string (*note)(const SweepPoint& point);
};

constexpr std::array kLevels = {
    Level{.algorithm = "hybrid",
          .is_there = [](const Grid& grid) { return grid.ulysses == 1 || grid.ring() > 1; },
          .note =
              [](const SweepPoint& point) {
                const int ranks = point.of->cp_size();
                return fmt::format("note: hybrid with ulysses_degree {} on {} ranks has no ring: it is ulysses{}",
                                   ranks, ranks, is_prime(ranks) ? "" : "; give a smaller --ulysses-degree");
              }},
    Level{.algorithm = "double-ring",
          .is_there = [](const Grid& grid) { return grid.ring() == 1 || (grid.outer > 1 && grid.inner > 1); },
          .note =
              [](const SweepPoint& point) {
                const int ring = point.of->grid.ring(), window = point.of->grid.inner;
                return fmt::format("note: double-ring with window_size {} on {} ranks is a plain ring{}", window, ring,
                                   is_prime(ring) ? "" : "; give another --window-size");
              }},
};

std::vector<std::string> notes_on_grids_of_one_level(const std::vector<SweepPoint>& points) {
  std::vector<std::string> notes;
  for (const Level& level : kLevels) {
    const auto is_of = [&](const SweepPoint& point) {
      return point.of && point.of->algorithm->name == level.algorithm;
    };
    const auto lacks = [&](const SweepPoint& point) { return is_of(point) && !level.is_there(point.of->grid); };
    const auto is_alone = [&](const SweepPoint& point) {
      return lacks(point) && std::ranges::none_of(points, [&](const SweepPoint& other) {
               return is_of(other) && !lacks(other) && other.of->cp_size() == point.of->cp_size();
             });
    };
    const auto found = std::ranges::find_if(points, is_alone);
    if (found != points.end()) notes.push_back(level.note(*found));
  }
  return notes;
}

std::vector<std::string> notes_on_axes_without_effect(const AxisValues& given, const std::vector<SweepPoint>& points) {
  std::vector<std::string> notes;
  for (const AxisInfo& info : all_axes()) {
    const std::vector<AxisValue>& values = given[info.axis];
    const auto has_one_of_them = [&](const SweepPoint& point) {
      const auto found = point.axes.find(std::string(info.name));
      return found != point.axes.end() && std::ranges::find(values, *found) != values.end();
    };
    if (values.empty() || std::ranges::any_of(points, has_one_of_them)) continue;
    notes.push_back(fmt::format("{} has no effect here: {}", info.flag(), info.meaning));
  }
  return notes;
}

}  // namespace

ResolvedSweep sweep_of(const SweepOptions& options, const AxisFlags& flags, const ResolveContext& context) {
  if (options.length_scale && options.config.empty()) {
    refuse("--length-scale {}: it scales the lengths of a config, and --config names none", *options.length_scale);
  }
  Sweep sweep;
  std::optional<ConfigIdentity> config;
  if (!options.config.empty()) {
    sweep = read_config(options.config, options.length_scale);
    config = {.path = options.config, .sha256 = sha256_of(sweep.text)};
  }
  return {.points = resolve_all(expand(sweep, flags.values()), context), .config = std::move(config)};
}

std::vector<std::string> notes_on_points(const AxisValues& given, const std::vector<SweepPoint>& points) {
  std::vector<std::string> notes = notes_on_axes_without_effect(given, points);
  std::ranges::move(notes_on_grids_of_one_level(points), std::back_inserter(notes));
  return notes;
}

}  // namespace cpbench
