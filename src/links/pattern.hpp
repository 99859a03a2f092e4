// What is measured of links, in which order: the same list on all ranks.
#pragma once

#include <cstdint>
#include <vector>

#include "links/rounds.hpp"
#include "transport/link_model.hpp"

namespace cpbench {

/// The smallest message, whose bytes take no time; all are multiples of it.
inline constexpr std::int64_t kLinkWordBytes = 8;

struct LinkOptions {
  int ranks_per_node = 1;
  bool all_to_all = false;
  std::int64_t message_bytes = std::int64_t{16} << 20;  ///< the largest, a multiple of kLinkWordBytes
  int repetitions = 10;
  LinkModel emulated = {};  ///< links that messages of the host are slowed down to
};

/// Up to so many ranks each pair of them is measured by itself; of more, those that are neighbours in a ring.
inline constexpr int kMostRanksOfAllPairs = 256;

/// Something that all ranks do at once, between barriers.
struct LinkPattern {
  enum class Kind : std::uint8_t {
    kHop,        ///< every rank of a ring sends to the next and receives from the previous one
    kRoundTrip,  ///< of each pair, `a` sends to `b`, which answers with the smallest message
    kAllToAll    ///< every rank sends a part to each other one
  };
  Kind kind;
  Link link;                ///< of a hop: the kind of its rings; of an all-to-all kAllToAll; not of round trips
  std::int64_t bytes;       ///< that a rank sends
  std::vector<Pair> pairs;  ///< of round trips, directed: no rank is in two
};

/// Hops by kind of edge, an all-to-all where asked for, and round trips of pairs in disjoint rounds, each way by
/// itself; hops and all-to-alls with messages of several sizes, round trips with the smallest and the largest. None for
/// one rank.
std::vector<LinkPattern> link_patterns(const LinkOptions& options, int ranks);

}  // namespace cpbench
