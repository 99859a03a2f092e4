#include "links/figures.hpp"

#include <algorithm>

namespace cpbench {

LinkFigures figures_of_link(std::span<const MessageTime> times, int latencies) {
  const auto [smallest, largest] = std::ranges::minmax(times, {}, &MessageTime::bytes);
  LinkFigures figures{.bytes_per_second = {}, .latency_s = smallest.min_s / latencies};
  const double longer_s = largest.min_s - smallest.min_s;
  if (longer_s > 0) figures.bytes_per_second = static_cast<double>(largest.bytes - smallest.bytes) / longer_s;
  return figures;
}

}  // namespace cpbench
