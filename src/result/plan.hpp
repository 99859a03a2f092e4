// What `plan` finds out about points, and its JSON (docs/plan.schema.json).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "estimate/estimate.hpp"
#include "result/derive.hpp"
#include "result/json.hpp"
#include "result/record.hpp"

namespace cpbench {

struct PlannedRank {
  std::int64_t tokens = 0;
  RankFigures figures;
  std::int64_t memory_bytes = 0;  ///< of its buffers
  std::optional<TimeEstimate> estimate;
};

struct PlanRecord {
  std::string id;
  nlohmann::ordered_json axes;           ///< `case`
  Status status = Status::kOk;           ///< kInvalid: its programs did not verify
  std::string reason;                    ///< of a point that was skipped or failed
  std::vector<std::string> faults;       ///< that verifying found
  std::vector<PlannedRank> ranks;        ///< empty where it was skipped or failed
  Work work;                             ///< of the ranks, without a peak
  std::optional<TimeEstimate> estimate;  ///< of the slowest rank
  std::optional<MachineModel> machine;   ///< that the estimate is for
};

struct PlanFile {
  Tool tool;
  Command command;
  int ranks_per_node = 0;                       ///< 0: all ranks are on one node
  std::string backend;                          ///< whose memory is planned
  std::optional<std::int64_t> available_bytes;  ///< memory of a rank, where that was said
  std::vector<PlanRecord> points;
  int exit_code = 0;
};

/// Mean over ranks / largest, of FLOPs: 1 is perfect, also where there are none.
double load_balance_of(const PlanRecord& point);
std::int64_t peak_memory_of(const PlanRecord& point);  ///< of the rank that needs most

inline constexpr int kPlanVersion = 1;
Json json_of(const PlanFile& file);
/// The inverse. Throws as the readers of result/from_json.hpp do.
PlanFile plan_file_of(const Json& document);

/// As if they had been run, for what reads points that were: what stands there for measured times is estimated, and a
/// point's axes are followed by what its figures depend on besides: `ranks_per_node`, `backend`, and as far as they are
/// known `memory` in GiB, `links`, `forward_tflops`, `backward_tflops` and `memory_bandwidth`.
std::vector<PointRecord> points_of(const PlanFile& file);

/// As if the estimate had been measured: the figures of docs/results-format.md.
Timing timing_of(const TimeEstimate& estimate);

}  // namespace cpbench
