// Files as other commands read them: each is what one launch of `cpbench run`, `plan` or `doctor` left.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "result/json.hpp"
#include "result/record.hpp"

namespace cpbench {

/// Whose launch: which command left its file.
enum class LaunchOf : std::uint8_t { kRun, kPlan, kDoctor };
std::string_view plural_of(LaunchOf of);  ///< what they leave: `results of run`, `plans`, `records of doctor`

struct Launch {
  std::string path;
  Header header;  ///< of a plan without ranks
  /// As record_of reads them (from_json.hpp); of a plan points_of (plan.hpp), of `doctor` figures (doctor_figures.hpp).
  std::vector<PointRecord> points;
  bool finished = true;  ///< or what it had not reached is unknown: of `run` its lines are all that is left
  LaunchOf of = LaunchOf::kRun;

  const std::string& started() const { return header.command.started; }
};

/// The launches named by `places`, a comma list of result files (.json, or the .jsonl of a job that was killed) and of
/// directories. A directory stands for all results in it, by name: each .json, and each .jsonl without a .json of
/// its name, which a job left that did not come to its end; JSON of other things is passed over there. Throws
/// Error(kBaselineMissing) for a place that does not exist and a directory without results, and a usage error for what
/// is no result file of this version, or cut short, for a launch that is named twice, as a copy too, and for times that
/// are not positive numbers.
/// Where `places` have no result, they are those of another command, `else_of`. All are of one command: other files
/// are passed over in a directory, and refused where they are named.
std::vector<Launch> read_launches(const std::string& places, LaunchOf else_of = LaunchOf::kRun);

/// One result file with all that it has, of a .jsonl its head with the `points` of its lines. Throws as read_launches.
struct WholeLaunch {
  Launch launch;
  Json document;
};
WholeLaunch read_whole(const std::string& path);

/// Whether both have the same start and the same times: one is a copy of the other.
bool are_the_same(const Launch& a, const Launch& b);

}  // namespace cpbench
