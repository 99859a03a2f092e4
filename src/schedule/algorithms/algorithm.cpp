#include "schedule/algorithms/algorithm.hpp"

#include <stdexcept>

namespace cpbench {

Shards make_shards(const Case& c) {
  return {.of_rank = shard_over_grid(c.shard, c.problem.documents, c.grid),
          .of_position = shard_over_ring(c.shard, c.problem.documents, c.grid.ring())};
}

Program program_of(const Case& c, const Shards& shards, int rank) {
  switch (c.algorithm) {
    case Algorithm::kUlysses:     // a ring of one position
    case Algorithm::kRing:        // one place, and a double ring of one window
    case Algorithm::kDoubleRing:  // one place
    case Algorithm::kHybrid:
      return hybrid_program(c, shards, rank);
    case Algorithm::kAllGather:
      return all_gather_program(c, shards, rank);
  }
  throw std::logic_error("program_of: an algorithm without a program");
}

}  // namespace cpbench
