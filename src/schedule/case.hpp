// One point of a sweep with every axis resolved: all that a schedule depends on.
#pragma once

#include <cstdint>
#include <string_view>

#include "problem/problem.hpp"
#include "schedule/algorithm.hpp"
#include "shard/shard.hpp"
#include "topology/grid.hpp"

namespace cpbench {

/// fused: the forward state and the gradients stay in fp32 between steps and are rounded once. merge: every step's
/// result is rounded to the storage type and merged, as other implementations do; to measure the difference.
enum class Accumulate : std::uint8_t { kFused, kMerge };
std::string_view name_of(Accumulate accumulate);
Accumulate parse_accumulate(std::string_view name);

struct Case {
  Problem problem;
  const Algorithm* algorithm = nullptr;  ///< of the registry; check() needs one
  Grid grid;
  ShardKind shard = ShardKind::kZigzag;
  Pass pass = Pass::kForwardBackward;
  bool uneven_heads = false;
  bool overlap = true;
  bool prune = true;
  int kv_parts = 1;  ///< parts that every step takes its K/V in, each continuing from the one before
  Accumulate accumulate = Accumulate::kFused;

  int cp_size() const { return grid.size(); }
};

/// Throws a usage error naming rule, values and nearest legal choice where the algorithm cannot run the case: heads
/// that the Ulysses degree does not divide (without uneven_heads), a degree above the head count, a grid that is not
/// the algorithm's. Checks the problem too.
void check(const Case& c);

}  // namespace cpbench
