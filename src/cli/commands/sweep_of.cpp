#include "cli/commands/sweep_of.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "cli/axes/legal.hpp"
#include "cli/config/config_file.hpp"
#include "result/sha256.hpp"
#include "support/error.hpp"

namespace cpbench {
namespace {

bool is_prime(int n) { return n > 1 && divisors_of(n).size() == 2; }

/// What some algorithms have beside another one, as long as the grid leaves room for it.
struct Level {
  bool (*is_of)(const Algorithm& algorithm);
  bool (*is_there)(const Grid& grid);
  std::string (*note)(const Case& c);
};

constexpr std::array kLevels = {
    Level{.is_of = [](const Algorithm& a) { return a.leaves_degree_open(); },
          .is_there = [](const Grid& grid) { return grid.ulysses == 1 || grid.ring() > 1; },
          .note =
              [](const Case& c) {
                return fmt::format("note: {} with ulysses_degree {} on {} ranks has no ring: it is ulysses{}",
                                   c.algorithm->name, c.grid.ulysses, c.cp_size(),
                                   is_prime(c.cp_size()) ? "" : "; give a smaller --ulysses-degree");
              }},
    Level{.is_of = [](const Algorithm& a) { return a.ring == RingLevel::kWindows; },
          .is_there = [](const Grid& grid) { return grid.ring() == 1 || (grid.outer > 1 && grid.inner > 1); },
          .note =
              [](const Case& c) {
                return fmt::format("note: {} with window_size {} on {} ranks is a plain ring{}", c.algorithm->name,
                                   c.grid.inner, c.grid.ring(),
                                   is_prime(c.grid.ring()) ? "" : "; give another --window-size");
              }},
};

std::vector<std::string> notes_on_grids_of_one_level(const std::vector<SweepPoint>& points) {
  std::vector<std::string> notes;
  for (const Level& level : kLevels) {
    const auto lacks = [&](const SweepPoint& point) {
      return point.of && level.is_of(*point.of->algorithm) && !level.is_there(point.of->grid);
    };
    const auto is_alone = [&](const SweepPoint& point) {
      return lacks(point) && std::ranges::none_of(points, [&](const SweepPoint& other) {
               return other.of && !lacks(other) && other.of->algorithm == point.of->algorithm &&
                      other.of->cp_size() == point.of->cp_size();
             });
    };
    const auto found = std::ranges::find_if(points, is_alone);
    if (found != points.end()) notes.push_back(level.note(*found->of));
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
