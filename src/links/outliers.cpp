#include "links/outliers.hpp"

#include <algorithm>
#include <utility>

namespace cpbench {
namespace {

SlowLink judged(const PairReport& pair, const LinkSpread& kind) {
  SlowLink link{.of = pair, .bandwidth_of_median = {}, .latency_of_median = {}};
  if (pair.figures.bytes_per_second) {
    link.bandwidth_of_median = slow_fraction(*pair.figures.bytes_per_second, kind.bytes_per_second->median);
  }
  const double multiple = pair.figures.latency_s / kind.latency_s.median;
  if (multiple > kSlowLatency) link.latency_of_median = multiple;
  return link;
}

}  // namespace

std::optional<LinkSpread> spread_of_links(std::span<const PairReport> pairs, Link link) {
  std::vector<double> bandwidths, latencies;
  for (const PairReport& pair : pairs) {
    if (pair.link != link) continue;
    latencies.push_back(pair.figures.latency_s);
    if (pair.figures.bytes_per_second) bandwidths.push_back(*pair.figures.bytes_per_second);
  }
  if (latencies.empty()) return std::nullopt;
  LinkSpread spread{.links = static_cast<int>(latencies.size()),
                    .bytes_per_second = {},
                    .latency_s = spread_of(std::move(latencies))};
  if (!bandwidths.empty()) spread.bytes_per_second = spread_of(std::move(bandwidths));
  return spread;
}

std::vector<SlowLink> slow_links(std::span<const PairReport> pairs) {
  std::vector<SlowLink> slow;
  for (const Link link : {Link::kInner, Link::kOuter}) {
    const std::optional<LinkSpread> kind = spread_of_links(pairs, link);
    for (const PairReport& pair : pairs) {
      if (pair.link != link) continue;
      const SlowLink one = judged(pair, *kind);
      if (one.bandwidth_of_median || one.latency_of_median) slow.push_back(one);
    }
  }
  std::ranges::stable_sort(slow, {}, [](const SlowLink& one) {
    return std::pair(one.bandwidth_of_median.value_or(1), -one.latency_of_median.value_or(0));
  });
  return slow;
}

}  // namespace cpbench
