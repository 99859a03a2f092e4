// What every algorithm is: a function from a case to the program of one rank.
#pragma once

#include <vector>

#include "schedule/builder.hpp"

namespace cpbench {

/// Who holds which tokens: by rank, and by ring position (all places of a position together, in order).
struct Shards {
  std::vector<Tokens> of_rank;
  std::vector<Tokens> of_position;
};
Shards make_shards(const Case& c);

/// Buffers that one rank attends with: its queries stay, blocks of K/V come by.
struct Operands {
  BufferId q, kv, out, lse, sink;
  HeadMap heads;
  BufferId dout = kNoBuffer, delta = kNoBuffer;  ///< backward pass
};

/// Sums of gradients in the storage type of gradients: dQ of the operands' queries, dK/dV of their own K/V block.
struct Gradients {
  BufferId dq, dkv;
};

Program hybrid_program(const Case& c, const Shards& shards, int rank);
Program all_gather_program(const Case& c, const Shards& shards, int rank);

/// The algorithm's program of `rank`, before any pass.
Program program_of(const Case& c, const Shards& shards, int rank);

}  // namespace cpbench
