// From flags and config file to points: the same for every command that has points.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/config/command_line.hpp"
#include "cli/config/options.hpp"
#include "cli/config/sweep.hpp"

namespace cpbench {

/// Where points come from besides flags, as a result names it.
struct ConfigIdentity {
  std::string path;    ///< that was given
  std::string sha256;  ///< of what was read there, which is the only time that a pipe gives it
};

struct ResolvedSweep {
  std::vector<SweepPoint> points;
  std::optional<ConfigIdentity> config;
};
ResolvedSweep sweep_of(const SweepOptions& options, const AxisFlags& flags, const ResolveContext& context);

/// What is not as it was given, or may be meant otherwise. One for each axis of which no point has a value that was
/// given: all of them ignore it. And one for each level of an algorithm, Ulysses above a ring or windows of a ring,
/// that a point's grid leaves out, so that it is another algorithm, where no other point of as many ranks has it: a
/// sweep over grids is meant to have such points.
std::vector<std::string> notes_on_points(const AxisValues& given, const std::vector<SweepPoint>& points);

}  // namespace cpbench
