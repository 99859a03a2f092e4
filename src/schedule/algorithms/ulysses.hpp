// Ulysses: all-to-alls that swap a shard of the sequence with all heads for all of the ring position's tokens with some
// heads, and back.
#pragma once

#include "schedule/algorithms/operands.hpp"

namespace cpbench {

/// The ranks of one ring position, as seen by one of them.
/// Place p attends query heads cut(heads, degree)[p] and is sent just the K/V heads that these read. Where several
/// places read one K/V head it is thereby replicated, and its gradients are summed on the way back.
struct UlyssesGroup {
  int place;
  std::vector<int> ranks;                    ///< by place
  std::vector<std::int64_t> row_offsets;     ///< by place, and the number of all rows at the end
  std::vector<HeadRange> q_heads, kv_heads;  ///< by place

  UlyssesGroup(const Case& c, const Shards& shards, int rank);
  int degree() const { return static_cast<int>(ranks.size()); }
  std::int64_t rows() const { return row_offsets.back(); }
};

/// Sequence shards to head shards. In a group of one the operands are the owned buffers, and nothing is exchanged;
/// so in the functions below.
Operands gather_operands(ProgramBuilder& builder, const UlyssesGroup& group);
void return_results(ProgramBuilder& builder, const UlyssesGroup& group, const Operands& operands);
/// Adds dout and delta to the operands.
void gather_output_gradient(ProgramBuilder& builder, const UlyssesGroup& group, Operands& operands);
/// Rounds the gradients to the storage type, once, and takes them to their owners.
void return_gradients(ProgramBuilder& builder, const UlyssesGroup& group, const Gradients& gradients);

}  // namespace cpbench
