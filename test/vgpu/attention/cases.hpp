// What the GPU's attention kernels are tried with.
#pragma once

#include <vector>

#include "backend/support/attention_case.hpp"
#include "vgpu/order.hpp"

namespace cpbench::test {

struct VirtualCase {
  AttentionCase attention;
  vgpu::OrderSettings order;

  friend std::ostream& operator<<(std::ostream& stream, const VirtualCase& c) { return stream << c.attention; }
};

/// The work of one rank of two: shards, masks, documents, head sizes, grouped heads, storage types, layouts, sinks,
/// calls that continue each other, and orders, every two values of which meet in some case.
std::vector<VirtualCase> shard_cases();

/// Shapes that are all edge: those of every device, and those of blocks.
std::vector<VirtualCase> virtual_edge_cases();

}  // namespace cpbench::test
