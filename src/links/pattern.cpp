#include "links/pattern.hpp"

#include <algorithm>
#include <iterator>

namespace cpbench {
namespace {

/// Ascending, each once: whole multiples of `unit`.
std::vector<std::int64_t> sizes_of(std::int64_t largest, std::int64_t unit) {
  std::vector<std::int64_t> sizes = {unit};
  for (const int divisor : {256, 16, 1}) {
    const std::int64_t bytes = largest / divisor / unit * unit;
    if (bytes > sizes.back()) sizes.push_back(bytes);
  }
  return sizes;
}

std::vector<Pair> pairs_to_measure(const LinkOptions& options, int ranks) {
  if (ranks <= kMostRanksOfAllPairs) return all_pairs(ranks);
  std::vector<RankRing> rings;
  for (const Link link : {Link::kInner, Link::kOuter}) {
    std::ranges::copy(rings_of(link, ranks, options.ranks_per_node), std::back_inserter(rings));
  }
  return pairs_in(rings);
}

}  // namespace

std::vector<LinkPattern> link_patterns(const LinkOptions& options, int ranks) {
  using enum LinkPattern::Kind;
  std::vector<LinkPattern> patterns;
  if (ranks < 2) return patterns;
  const std::vector<std::int64_t> sizes = sizes_of(options.message_bytes, kLinkWordBytes);
  for (const Link link : {Link::kInner, Link::kOuter}) {
    if (rings_of(link, ranks, options.ranks_per_node).empty()) continue;
    for (const std::int64_t bytes : sizes) patterns.push_back({kHop, link, bytes, {}});
  }
  if (options.all_to_all) {
    for (const std::int64_t bytes : sizes_of(options.message_bytes, (ranks - 1) * kLinkWordBytes)) {
      patterns.push_back({kAllToAll, Link::kAllToAll, bytes, {}});
    }
  }
  for (const std::vector<Pair>& round : disjoint_rounds(pairs_to_measure(options, ranks), ranks)) {
    std::vector<Pair> back;
    for (const auto& [a, b] : round) back.push_back({b, a});
    for (const std::vector<Pair>& way : {round, back}) {
      for (const std::int64_t bytes : {sizes.front(), sizes.back()}) {
        patterns.push_back({kRoundTrip, Link::kInner, bytes, way});
      }
    }
  }
  return patterns;
}

}  // namespace cpbench
