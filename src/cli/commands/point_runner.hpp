// Runs the points of a sweep on the ranks of a job, one after the other.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "cli/commands/rank_job.hpp"
#include "cli/config/sweep.hpp"
#include "result/record.hpp"
#include "run/clock_sync.hpp"
#include "run/placement.hpp"

namespace cpbench {

/// What to leave behind of a point besides its record; empty: nothing.
struct PointFiles {
  std::string trace;  ///< written by whoever asked for it, from the record's timeline
  std::string dump;
};

/// What is told of a point while it runs, on its ranks.
struct PointProgress {
  std::function<void()> fits = [] {};                                        ///< the ranks have their memory
  std::function<void(int done, int iterations)> iterated = [](int, int) {};  ///< of MeasureOptions
  /// Something that it should leave behind could not be written; on all of the ranks.
  std::function<void(const std::string& why)> lost = [](const std::string&) {};
};

class PointRunner {
 public:
  PointRunner(const Communicator& world, const Settings& settings, const Placement& placement);

  /// Collective over the world, with what record_of gave. Builds and verifies the point's programs, runs and checks
  /// them, and with `measured` times them if the check passed; results that differ after the last timed iteration (on a
  /// backend whose bits vary: that fail the check again) are invalid too. Status kFailed, with the figures, where
  /// memory does not suffice. The record is complete on rank 0. What the point's other ranks have of it has the same
  /// status; the ranks beyond its cp_size learn of kFailed, but not of kInvalid.
  void run(const Case& c, const PointFiles& files, bool measured, PointRecord& record, const PointProgress& progress);

 private:
  void run_on(const Communicator& ranks, const Case& c, const PointFiles& files, bool measured, PointRecord& record,
              const PointProgress& progress);
  void execute(RankJob& job, const Communicator& ranks, const Schedule& schedule, const PointFiles& files,
               bool measured, PointRecord& record, const PointProgress& progress);
  /// Collective: rank 0 says, once in a job, that a kernel lets no message progress.
  void expect_polls(const Communicator& ranks, const RankJob& job) const;
  /// Of CheckOptions: cores that check a point on these ranks.
  int workers_of(const Communicator& ranks) const;
  ValidationReport check(RankJob& job, const Communicator& ranks, const Case& c, const Inputs& inputs,
                         const CheckMode& mode) const;
  /// No result is lost where it cannot be written.
  void write_dump(RankJob& job, const Communicator& ranks, const Case& c, const Inputs& inputs,
                  const std::string& directory, const ValidationReport& report, const PointProgress& progress) const;
  void measure(RankJob& job, const Communicator& ranks, const Schedule& schedule, bool traced, PointRecord& record,
               const PointProgress& progress);
  void expect_same_results(RankJob& job, const Communicator& ranks, std::uint64_t checked_results,
                           PointRecord& record) const;
  /// A point's peak is the higher of those before and after it: what else runs on a machine may slow it down from one
  /// second to the next, and a peak of another moment would say that a kernel exceeds it.
  std::optional<double> last_peak(const Communicator& ranks, DType dtype);
  std::optional<double> measure_peak(const Communicator& ranks, DType dtype);

  const Communicator& world_;
  const Settings& settings_;
  const Placement& placement_;
  int cpus_;                                                      ///< of all nodes
  std::map<std::pair<DType, int>, std::optional<double>> peaks_;  ///< the last ones, by cp_size
};

/// `case` of a result: the axes, and the settings that figures depend on, named as their flags.
/// `ranks`: of the point.
Json axes_with(const Json& axes, const Settings& settings, int ranks);

/// What is known of a point before it is run on the first of so many ranks; all that there is of one that is skipped.
PointRecord record_of(const SweepPoint& point, const std::string& id, const Settings& settings, int ranks);

/// The point's results in the memory of the job.
LocalResults results_of(RankJob& job, const Case& c);

}  // namespace cpbench
