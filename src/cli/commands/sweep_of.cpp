#include "cli/commands/sweep_of.hpp"

#include "cli/config/config_file.hpp"
#include "support/error.hpp"

namespace cpbench {

std::vector<SweepPoint> sweep_of(const SweepOptions& options, const AxisFlags& flags, const ResolveContext& context) {
  Sweep sweep;
  if (options.length_scale && options.config.empty()) {
    refuse("--length-scale {}: it scales the lengths of a config, and --config names none", *options.length_scale);
  }
  if (!options.config.empty()) sweep = read_config(options.config, options.length_scale);
  return resolve_all(expand(sweep, flags.values()), context);
}

}  // namespace cpbench
