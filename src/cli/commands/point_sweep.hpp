// What `run` and `validate` share: a sweep's points on the ranks of a job, one after the other.
#pragma once

#include <cstddef>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "cli/commands/point_runner.hpp"
#include "cli/commands/sweep_of.hpp"
#include "cli/config/command_line.hpp"
#include "support/error.hpp"

namespace cpbench {

/// How this job runs points, chosen once.
struct Execution {
  Placement placement;
  Settings settings;
};

/// Collective. Throws a usage error for an option that is none, or that this build or machine cannot run.
Execution execution_of(const Communicator& world, const RunOptions& run, const SweepOptions& sweep);

/// The points that these ranks can run. Throws a usage error if there is only an impossible one.
ResolvedSweep points_of(const Communicator& world, const Execution& execution, const SweepOptions& sweep,
                        const AxisFlags& flags);

/// `3-double-ring-cp8`: stable within a sweep, and fit for a file's name.
std::string id_of(std::size_t index, const SweepPoint& point);

/// kOk of what is ok or skipped.
ExitCode code_of(Status status);

/// What a command does about the points of its sweep. Called on all ranks; may throw an Error on one alone.
struct PointVisitor {
  bool measured;
  std::function<PointFiles(const PointRecord& record)> begin;  ///< what is known before: id, case, what is skipped
  std::function<void(PointRecord record)> end;                 ///< complete on rank 0
  PointProgress progress = {};                                 ///< in between
  std::set<std::size_t> kept = {};                             ///< indices of points that are not run again
};

/// Collective. Runs the points in their order, each with its trace if the visitor names one, and returns the gravest
/// exit code; kAllSkipped if none ran. If the only point could not run, throws why.
ExitCode run_points(const Communicator& world, const Execution& execution, const std::vector<SweepPoint>& points,
                    const PointVisitor& visitor);

}  // namespace cpbench
