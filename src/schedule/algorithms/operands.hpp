// What the parts of an algorithm hand to each other.
#pragma once

#include "schedule/algorithm.hpp"
#include "schedule/builder.hpp"

namespace cpbench {

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

}  // namespace cpbench
