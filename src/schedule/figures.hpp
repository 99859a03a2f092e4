// What a rank computes and sends, counted from its program.
#pragma once

#include <array>
#include <cstdint>

#include "schedule/schedule.hpp"

namespace cpbench {

/// Of the operations that an iteration of the case's pass runs, over the whole batch and all heads of the rank.
struct RankFigures {
  int128 forward_pairs = 0, backward_pairs = 0;  ///< attended (query, key, query head) triples
  int128 flops = 0;
  std::array<std::int64_t, kLinks> bytes_by_link{};  ///< sent, by Link; what a rank sends to itself is not counted
  std::int64_t bytes_within_node = 0, bytes_between_nodes = 0;
  std::int64_t messages = 0;

  std::int64_t bytes_sent() const { return bytes_within_node + bytes_between_nodes; }
};

/// What an operation attends, over the whole batch and all heads that it works on: (query, key, query head) triples, 0
/// of those that attend nothing.
int128 pairs_of(const Program& program, const Op& op, std::int64_t batch);

/// Ranks are placed on nodes in order, `ranks_per_node` each; 0: all on one.
RankFigures figures_of(const Schedule& schedule, int rank, int ranks_per_node);

}  // namespace cpbench
