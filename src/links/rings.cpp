#include "links/rings.hpp"

#include <algorithm>
#include <cstddef>

namespace cpbench {

Link link_between_nodes(int rank, int other, int ranks_per_node) {
  return node_of(rank, ranks_per_node) == node_of(other, ranks_per_node) ? Link::kInner : Link::kOuter;
}

std::vector<RankRing> rings_of(Link link, int ranks, int ranks_per_node) {
  const auto ring_of = [&](int rank) {
    if (link == Link::kInner) return node_of(rank, ranks_per_node);
    return link == Link::kOuter ? rank % ranks_per_node : 0;
  };
  std::vector<RankRing> rings;
  for (int rank = 0; rank < ranks; ++rank) {
    const auto ring = static_cast<std::size_t>(ring_of(rank));
    if (ring >= rings.size()) rings.resize(ring + 1);
    rings[ring].push_back(rank);
  }
  std::erase_if(rings, [](const RankRing& ring) { return ring.size() < 2; });
  return rings;
}

std::optional<Neighbours> neighbours_in(const std::vector<RankRing>& rings, int rank) {
  for (const RankRing& ring : rings) {
    const auto found = std::ranges::find(ring, rank);
    if (found == ring.end()) continue;
    const auto place = static_cast<std::size_t>(found - ring.begin()), size = ring.size();
    return Neighbours{.next = ring[(place + 1) % size], .previous = ring[(place + size - 1) % size]};
  }
  return std::nullopt;
}

}  // namespace cpbench
