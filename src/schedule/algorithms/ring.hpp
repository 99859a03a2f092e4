// Ring attention, single and double: blocks of K/V travel around a ring of ranks while the queries stay.
#pragma once

#include "schedule/algorithms/operands.hpp"

namespace cpbench {

/// One rank's place in its ring of outer x inner positions. A plain ring is one window: outer == 1.
struct Ring {
  const Grid& grid;
  const std::vector<Tokens>& tokens;  ///< by ring position
  int place;                          ///< the ring is that of this Ulysses place
  int window, index;                  ///< this rank's position is window * inner + index

  Ring(const Grid& g, const Shards& shards, int rank);
  /// Position and rank at a distance from this one, both coordinates modulo the grid.
  int position_at(int windows, int indices) const;
  int rank_at(int windows, int indices) const { return grid.rank_of(place, position_at(windows, indices)); }
  const Tokens& tokens_at(int windows, int indices) const {
    return tokens[static_cast<std::size_t>(position_at(windows, indices))];
  }
};

/// Forward: step (j, s) attends the block of position (window - j, index - s). Inside a window blocks hop to the next
/// index; the block that starts a window goes on to the next window during the whole inner loop.
/// Returns the block of the last step, with which the backward pass begins.
BufferId ring_forward(ProgramBuilder& builder, const Ring& ring, const Operands& operands);

/// Backward, in reverse: step (j, s) attends the block of position (window + 1 + j, index + 1 + s), so that it starts
/// with the forward pass's last block and ends with the rank's own. A block's gradient follows the ranks that visit it,
/// and so arrives at its owner with the last step: ring - 1 messages and no way home (docs/algorithms.md compares the
/// others).
Gradients ring_backward(ProgramBuilder& builder, const Ring& ring, const Operands& operands, BufferId last_block);

}  // namespace cpbench
