// Result files as a comparison reads them: each is what one launch of `cpbench run` left.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace cpbench {

/// What ran where, as far as times depend on it.
struct Origin {
  std::string tool;       ///< `0.1.0 (git 3f9a2c...)`
  std::string build;      ///< type, compiler and flags
  std::string mpi;        ///< empty: not known
  std::string devices;    ///< `4 x AMD EPYC`
  std::string hosts;      ///< `node1, node2`
  std::string cpus;       ///< that ranks may use: `0-1`
  std::string variables;  ///< of the environment: `OMP_NUM_THREADS=2`
  std::string started;    ///< UTC
};

/// Seconds per iteration; see docs/results-format.md for the three of them.
struct PointTimes {
  std::vector<double> full, compute_only, comm_only;
  bool operator==(const PointTimes&) const = default;
};

struct LaunchPoint {
  std::string id;
  nlohmann::ordered_json axes;  ///< `case`
  std::string status, reason;   ///< the reason is empty where the status is ok
  PointTimes times;             ///< empty unless it was measured and is right
  bool sends = false;           ///< any bytes between ranks
  std::optional<double> tflops_per_rank = {};
};

struct Launch {
  std::string path;
  Origin origin;
  std::vector<LaunchPoint> points;
  bool finished = true;  ///< or its lines are all that is left, and what it had not reached is unknown
};

/// The launches named by `places`, a comma list of result files (.json, or the .jsonl of a job that was killed) and of
/// directories. A directory stands for all results in it, by name: each .json, and each .jsonl without a .json of
/// its name, which a job left that did not come to its end; JSON of other things is passed over there. Throws
/// Error(kBaselineMissing) for a place that does not exist and a directory without results, and a usage error for what
/// is no result file of this version, or cut short, for a launch that is named twice, as a copy too, and for times that
/// are not positive numbers.
std::vector<Launch> read_launches(const std::string& places);

/// Whether both have the same start and the same times: one is a copy of the other.
bool are_the_same(const Launch& a, const Launch& b);

}  // namespace cpbench
