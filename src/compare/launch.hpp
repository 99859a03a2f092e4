// Result files as a comparison reads them: each is what one launch of `cpbench run` left.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace cpbench {

/// What ran where, as far as times depend on it.
struct Origin {
  std::string tool;     ///< `0.1.0 (git 3f9a2c...)`
  std::string build;    ///< type, compiler and flags
  std::string mpi;      ///< empty: not known
  std::string devices;  ///< `4 x AMD EPYC`
  std::string hosts;    ///< `node1, node2`
  std::string started;  ///< UTC
};

/// Seconds per iteration; see docs/results-format.md for the three of them.
struct PointTimes {
  std::vector<double> full, compute_only, comm_only;
};

struct LaunchPoint {
  std::string id;
  nlohmann::ordered_json axes;  ///< `case`
  std::string status, reason;   ///< the reason is empty where the status is ok
  PointTimes times;             ///< empty unless it was measured and is right
  bool sends = false;           ///< any bytes between ranks
};

struct Launch {
  std::string path;
  Origin origin;
  std::vector<LaunchPoint> points;
};

/// The launches named by `places`, a comma list of result files (.json, or the .jsonl of a job that was killed) and of
/// directories, which stand for all .json files in them, by name. Throws Error(kBaselineMissing) for a place that does
/// not exist and a directory without result files, and a usage error for what is no result file of this version, for a
/// file that is named twice, and for times that are not positive numbers.
std::vector<Launch> read_launches(const std::string& places);

}  // namespace cpbench
