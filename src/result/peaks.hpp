// Measured peaks of ranks as text and as JSON.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "result/json.hpp"
#include "run/rank_peaks.hpp"

namespace cpbench {

/// What a figure is called, and in which units it is written.
struct PeakName {
  std::string_view name, unit;
  double per_unit;  ///< what one `unit` is
  int decimals;
  const char* key;      ///< in records
  double per_key_unit;  ///< what 1 is there
};
const PeakName& name_of(Peak peak);

/// A line of each figure: of several ranks the mean, the lowest, on which rank, and the highest.
std::string peaks_table(const std::vector<RankPeaks>& peaks, const std::vector<RankInfo>& ranks);

/// `peaks` of docs/doctor.schema.json.
Json json_of(const std::vector<RankPeaks>& peaks);

}  // namespace cpbench
