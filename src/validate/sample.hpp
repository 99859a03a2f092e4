// Which rows a sampled check looks at.
#pragma once

#include <cstdint>
#include <vector>

#include "shard/segment.hpp"
#include "support/collective.hpp"
#include "validate/single_device.hpp"

namespace cpbench {

/// Tokens, ascending, whose query rows and key rows are checked in one head group.
struct GroupSample {
  HeadGroup group;
  std::vector<std::int64_t> tokens;
};

/// About `rows` tokens over some head groups, the same on all ranks. All groups have the first, the middle and the last
/// token and four of the last block of 128; the others are dealt to the groups in turn: rows at the borders of the
/// ranks' shards, and random ones of every rank. The groups are the first, the last and random ones, as many as
/// regenerating their K and V allows in about a second on `workers` cores, but two where there are two.
std::vector<GroupSample> choose_sample(const Inputs& inputs, std::int64_t rows, const Tokens& tokens, int workers,
                                       const Collective& collective);

/// The query head whose row of `token` is checked: random, but the same on all ranks.
int sampled_head(const Inputs& inputs, HeadGroup group, std::int64_t token);

}  // namespace cpbench
