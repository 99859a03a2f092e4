// Links by themselves: pairs of ranks in rounds within which no rank has two partners.
#pragma once

#include <tuple>
#include <vector>

#include "links/rings.hpp"

namespace cpbench {

struct Pair {
  int a, b;
  bool operator==(const Pair&) const = default;
  friend bool operator<(const Pair& x, const Pair& y) { return std::tie(x.a, x.b) < std::tie(y.a, y.b); }
};

/// Every two of so many ranks once, a < b.
std::vector<Pair> all_pairs(int ranks);
/// Every two neighbours of a ring once, a < b.
std::vector<Pair> pairs_in(const std::vector<RankRing>& rings);

/// Distributes pairs over rounds, each into the first in which both ranks are free: as few rounds as there can be for
/// all_pairs, and 3 at most for the pairs of rings that share no rank.
std::vector<std::vector<Pair>> disjoint_rounds(const std::vector<Pair>& pairs, int ranks);

}  // namespace cpbench
