// From flags and config file to points: the same for every command that has points.
#pragma once

#include <vector>

#include "cli/config/command_line.hpp"
#include "cli/config/options.hpp"
#include "cli/config/sweep.hpp"

namespace cpbench {

std::vector<SweepPoint> sweep_of(const SweepOptions& options, const AxisFlags& flags, const ResolveContext& context);

}  // namespace cpbench
