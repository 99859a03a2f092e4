// From flags and config file to points: the same for every command that has points.
#pragma once

#include <string>
#include <vector>

#include "cli/config/command_line.hpp"
#include "cli/config/options.hpp"
#include "cli/config/sweep.hpp"

namespace cpbench {

std::vector<SweepPoint> sweep_of(const SweepOptions& options, const AxisFlags& flags, const ResolveContext& context);

/// One for each axis of which no point has a value that was given: all of them ignore it.
std::vector<std::string> notes_on_axes_without_effect(const AxisValues& given, const std::vector<SweepPoint>& points);

}  // namespace cpbench
