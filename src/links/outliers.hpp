// Which of many links are slow.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "links/link_report.hpp"
#include "run/spread.hpp"

namespace cpbench {

/// A link is slow where its bandwidth is a slow rate among the links of its kind (run/spread.hpp), or its latency more
/// than kSlowLatency times their median. A link whose bandwidth is not known is not judged by it.
inline constexpr double kSlowLatency = 3;

/// Of the pairs that have one kind of link.
struct LinkSpread {
  int links;
  std::optional<Spread> bytes_per_second;  ///< of those whose bandwidth is known; none where no one's is
  Spread latency_s;
};
/// None where no pair has such a link.
std::optional<LinkSpread> spread_of_links(std::span<const PairReport> pairs, Link link);

struct SlowLink {
  PairReport of;
  std::optional<double> bandwidth_of_median;  ///< a fraction, where that is what is slow
  std::optional<double> latency_of_median;    ///< a multiple, likewise
};

/// Those with the least of the median bandwidth first, then those with the longest latency.
std::vector<SlowLink> slow_links(std::span<const PairReport> pairs);

}  // namespace cpbench
