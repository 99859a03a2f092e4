// What `run` and `validate` have in common: the points of a sweep are run, printed as they come, and leave files.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "cli/commands/point_sweep.hpp"
#include "cli/commands/subcommand.hpp"
#include "result/record.hpp"

namespace cpbench {

/// What is printed of a sweep, on rank 0.
struct Report {
  std::string heading;  ///< before the first point that runs or has a row: where the only one is refused there is none
  std::function<std::string(const PointRecord&)> row;
  /// `not_begun`: points that there was no time for.
  std::function<std::string(const std::vector<PointRecord>& points, std::size_t not_begun)> footer;
};
using MakeReport =
    std::function<Report(const Header& header, const Execution& execution, const std::vector<SweepPoint>& points)>;

/// Collective. `measured`: otherwise the points are checked alone. Returns the gravest exit code; a trace or a dump
/// that cannot be written costs no result, but is a usage error at the end.
ExitCode run_and_report(const Job& job, const RunOptions& run, const SweepOptions& sweep, const AxisFlags& flags,
                        bool measured, const MakeReport& make_report);

}  // namespace cpbench
