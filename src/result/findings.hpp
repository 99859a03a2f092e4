// What is not as it should be on a machine, in words.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "links/link_report.hpp"
#include "result/record.hpp"
#include "run/rank_peaks.hpp"

namespace cpbench {

struct Finding {
  enum class Kind : std::uint8_t {
    kCores,       ///< ranks share cores
    kDevice,      ///< a device is left out
    kSlowRank,    ///< by the rule of run/rank_peaks.hpp
    kSlowLink,    ///< by the rule of links/outliers.hpp
    kCorruptLink  ///< bytes arrive wrong
  };
  Kind kind;
  std::string text;  ///< one line
};
std::string_view name_of(Finding::Kind kind);  ///< `cores`, `device`, `slow-rank`, `slow-link`, `corrupt-link`

/// Hosts with slow ranks, one finding each, the slowest first; the first few are named, and the others counted.
std::vector<Finding> findings_of(const std::vector<RankPeaks>& peaks, const std::vector<RankInfo>& ranks);

/// Links that corrupt data, and slow ones; of each kind the first few are named, and the others counted.
std::vector<Finding> findings_of(const LinkReport& links, const std::vector<RankInfo>& ranks);

}  // namespace cpbench
