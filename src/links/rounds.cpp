#include "links/rounds.hpp"

#include <algorithm>
#include <cstddef>
#include <set>

namespace cpbench {

/// As in a tournament: one player keeps the seat, the others go round the table, and who sit opposite each other play.
/// That order is one of whole rounds, which disjoint_rounds then finds.
std::vector<Pair> all_pairs(int ranks) {
  const int players = ranks + ranks % 2;  // whoever meets the one that is not there pauses
  const int turning = players - 1;
  std::vector<Pair> pairs;
  const auto add = [&](int one, int other) {
    if (std::max(one, other) < ranks) pairs.push_back({std::min(one, other), std::max(one, other)});
  };
  for (int turn = 0; turn < turning; ++turn) {
    add(turning, turn);
    for (int i = 1; i < players / 2; ++i) add((turn + i) % turning, (turn - i + turning) % turning);
  }
  return pairs;
}

std::vector<Pair> pairs_in(const std::vector<RankRing>& rings) {
  std::set<Pair> pairs;  // the two edges of a ring of two are one pair
  for (const RankRing& ring : rings) {
    for (std::size_t i = 0; i < ring.size(); ++i) {
      const auto [a, b] = std::minmax(ring[i], ring[(i + 1) % ring.size()]);
      pairs.insert({a, b});
    }
  }
  return {pairs.begin(), pairs.end()};
}

std::vector<std::vector<Pair>> disjoint_rounds(const std::vector<Pair>& pairs, int ranks) {
  std::vector<std::vector<Pair>> rounds;
  std::vector<std::vector<bool>> is_busy;  // by round and rank
  for (const Pair& pair : pairs) {
    const auto a = static_cast<std::size_t>(pair.a), b = static_cast<std::size_t>(pair.b);
    const auto is_free = [&](const std::vector<bool>& busy) { return !busy[a] && !busy[b]; };
    const auto round = static_cast<std::size_t>(std::ranges::find_if(is_busy, is_free) - is_busy.begin());
    if (round == rounds.size()) {
      rounds.emplace_back();
      is_busy.emplace_back(static_cast<std::size_t>(ranks), false);
    }
    rounds[round].push_back(pair);
    is_busy[round][a] = is_busy[round][b] = true;
  }
  return rounds;
}

}  // namespace cpbench
