// What was found out about the links of a job.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "links/figures.hpp"
#include "links/pattern.hpp"

namespace cpbench {

/// Hops of one kind of edge, or the all-to-all: all ranks at once, the time that of the slowest.
struct PatternReport {
  Link link;
  int ranks;                       ///< that take part
  std::vector<MessageTime> times;  ///< by size; bytes that a rank sends
  LinkFigures figures;
};

/// One way of one pair, with no other message of either rank.
struct PairReport {
  Pair pair;  ///< from a to b
  Link link;  ///< kInner within a node, kOuter between nodes
  LinkFigures figures;
};

/// Bytes that arrived wrong.
struct Corruption {
  Pair pair;                 ///< from a to b
  std::int64_t bytes;        ///< of the message
  std::int64_t first_wrong;  ///< byte of it
  int times;                 ///< repetitions in which that was so, of messages of this size
};

struct LinkReport {
  LinkOptions options = {};
  int repetitions = 0;  ///< that there was time for
  bool has_all_pairs = true;
  std::vector<PatternReport> patterns = {};
  std::vector<PairReport> pairs = {};        ///< ascending
  std::vector<Corruption> corruptions = {};  ///< ascending by pair and bytes
  std::string graph_obstacle = {};           ///< why a device's work was queued message by message; empty: it was not
};

}  // namespace cpbench
