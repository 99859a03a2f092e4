#include "cli/commands/sweep_of.hpp"

#include <algorithm>
#include <utility>

#include "cli/config/config_file.hpp"
#include "result/sha256.hpp"
#include "support/error.hpp"

namespace cpbench {

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

}  // namespace cpbench
