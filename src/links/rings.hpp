// Who sends to whom in a ring hop: all ranks at once, along edges of one kind.
#pragma once

#include <optional>
#include <vector>

#include "topology/grid.hpp"

namespace cpbench {

/// Ranks in the order in which a hop goes round; the last sends to the first.
using RankRing = std::vector<int>;

/// The node of a rank, where nodes have `ranks_per_node` consecutive ranks each, the last one perhaps fewer.
inline int node_of(int rank, int ranks_per_node) { return rank / ranks_per_node; }
/// What lies between two ranks: kInner within a node, kOuter between nodes.
Link link_between_nodes(int rank, int other, int ranks_per_node);

/// The rings that ranks form by edges of this kind, each rank in one at most, as a double ring with a window for each
/// node has them: kInner, the ranks of each node; kOuter, those that have the same place on their nodes; kAllToAll, all
/// ranks. A ring of one rank is none.
std::vector<RankRing> rings_of(Link link, int ranks, int ranks_per_node);

struct Neighbours {
  int next, previous;
};
/// None where the rank is in no ring.
std::optional<Neighbours> neighbours_in(const std::vector<RankRing>& rings, int rank);

}  // namespace cpbench
