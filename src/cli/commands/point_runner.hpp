// Runs the points of a sweep on the ranks of a job, one after the other.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "cli/commands/rank_job.hpp"
#include "cli/config/sweep.hpp"
#include "result/record.hpp"
#include "run/clock_sync.hpp"
#include "run/placement.hpp"

namespace cpbench {

/// What to leave behind of a point besides its record; empty: nothing.
struct PointFiles {
  std::string trace, dump;
};

class PointRunner {
 public:
  PointRunner(const Communicator& world, const Settings& settings, const Placement& placement);

  /// Collective over the world. Builds and verifies the point's programs, runs and checks them, and with `measured`
  /// times them if the check passed. The record is complete on rank 0.
  /// Throws Error(kPlacement) on all ranks where memory does not suffice.
  PointRecord run(const SweepPoint& point, const std::string& id, const PointFiles& files, bool measured);

 private:
  void run_on(const Communicator& ranks, const Case& c, const PointFiles& files, bool measured, PointRecord& record);
  ValidationReport check(RankJob& job, const Communicator& ranks, const Case& c, const Inputs& inputs,
                         const CheckMode& mode, const std::string& dump_directory) const;
  void measure(RankJob& job, const Communicator& ranks, const Schedule& schedule, const std::string& trace,
               PointRecord& record);
  double peak_flops(const Communicator& ranks, DType dtype);

  const Communicator& world_;
  const Settings& settings_;
  const Placement& placement_;
  int workers_;  ///< cores of all nodes
  std::map<DType, double> peaks_;
};

/// The point's results in the memory of the job.
LocalResults results_of(const RankJob& job, const Case& c);

}  // namespace cpbench
