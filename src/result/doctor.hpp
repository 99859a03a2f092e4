// What `doctor` finds out about a job, as JSON (docs/doctor.schema.json).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "links/link_report.hpp"
#include "result/findings.hpp"
#include "result/json.hpp"
#include "result/record.hpp"
#include "run/rank_peaks.hpp"

namespace cpbench {

struct DoctorRecord {
  Header header;
  int threads = 1;                        ///< of each rank
  std::string backend = {};               ///< that ranks were bound for
  std::vector<std::string> kernels = {};  ///< of a GPU, the best first
  std::vector<std::string> isas = {};     ///< instruction sets of the CPU, the fastest first
  std::vector<RankPeaks> peaks = {};      ///< by rank, where they were asked for
  std::string transport = {};             ///< that links were measured by
  std::optional<LinkReport> links = {};   ///< where they were asked for; without patterns where there are none
  std::vector<Finding> findings = {};
  bool complete = false;  ///< or the links are missing that were asked for: the job goes on, or was ended
  int exit_code = 0;      ///< once it is complete
};

inline constexpr int kDoctorVersion = 1;
Json json_of(const DoctorRecord& record);

}  // namespace cpbench
