// What is not as it should be on a machine, in words.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "links/link_report.hpp"
#include "result/record.hpp"

namespace cpbench {

struct Finding {
  enum class Kind : std::uint8_t {
    kCores,       ///< ranks share cores
    kDevice,      ///< a device is left out
    kSlowLink,    ///< by the rule of links/outliers.hpp
    kCorruptLink  ///< bytes arrive wrong
  };
  Kind kind;
  std::string text;  ///< one line
};
std::string_view name_of(Finding::Kind kind);  ///< `cores`, `device`, `slow-link`, `corrupt-link`

/// Links that corrupt data, and slow ones; of each kind the first few are named, and the others counted.
std::vector<Finding> findings_of(const LinkReport& links, const std::vector<RankInfo>& ranks);

}  // namespace cpbench
