// An algorithm with a mistake that verification finds: a ring whose first rank goes on from a state that nobody began.
#include "schedule/algorithm.hpp"
#include "schedule/program.hpp"

namespace cpbench {
namespace {

Program unverified_program(const Case& c, const Shards& shards, int rank) {
  Program program = find_algorithm("ring")->program(c, shards, rank);
  for (Op& op : program.ops) {
    if (auto* attend = std::get_if<Attend>(&op.action); attend != nullptr && rank == 0) attend->first = false;
  }
  return program;
}

const RegisterAlgorithm kRegistered({.name = "unverified",
                                     .has_ulysses_level = false,
                                     .ring = RingLevel::kPlain,
                                     .default_shard = ShardKind::kZigzag,
                                     .program = unverified_program});

}  // namespace
}  // namespace cpbench
