// From a case to the programs of all its ranks.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "schedule/case.hpp"
#include "schedule/program.hpp"

namespace cpbench {

struct Schedule {
  Case of;
  std::vector<Tokens> tokens;     ///< by rank: the tokens of its rows of q, kv, out, ...
  std::vector<Program> programs;  ///< by rank
  bool pruned = false;            ///< else `--prune` makes no difference, where it is on
};

/// About how much memory the programs of all ranks take while they are built and verified, judged by a few of them:
/// by no more of them than show that it is above `limit`. Within a third of the peak, as far as tested, except for
/// a ring of contiguous shards under a causal mask, which shares more than neighbours show: half as much again.
std::int64_t planning_bytes(const Case& c, std::int64_t limit = std::numeric_limits<std::int64_t>::max());

/// The algorithm's programs after the passes that the case asks for (passes.hpp). verify.hpp proves them.
Schedule build_schedule(const Case& c);

/// A rank's program as it is with `--prune off`, for which no other rank's is needed.
Program unpruned_program(const Case& c, int rank);

/// A rank's program without its communication or without its compute: the bounds that a run is compared with. The
/// buffers are the same; those that nothing fills any more hold whatever they held before.
Program without_communication(const Program& program, const Case& c);
Program without_compute(const Program& program, const Case& c);
/// Of all ranks.
Schedule without_compute(const Schedule& schedule);

}  // namespace cpbench
