// Ulysses x (double) ring: all-to-alls around an attention over the ring. Pure Ulysses has a ring of one position, and
// a pure ring has Ulysses groups of one place, so this is the program of `ulysses`, `ring` and `double-ring` too.
#include "schedule/algorithms/ring.hpp"
#include "schedule/algorithms/sink_gradient.hpp"
#include "schedule/algorithms/ulysses.hpp"

namespace cpbench {
namespace {

Program hybrid_program(const Case& c, const Shards& shards, int rank) {
  ProgramBuilder builder(c, shards.of_rank[static_cast<std::size_t>(rank)]);
  const UlyssesGroup group(c, shards, rank);
  const Ring ring(c.grid, shards, rank);

  Operands operands = gather_operands(builder, group);
  const BufferId last_block = ring_forward(builder, ring, operands);
  return_results(builder, group, operands);
  if (c.pass == Pass::kForward) return builder.take();

  builder.begin_backward();
  gather_output_gradient(builder, group, operands);
  const Gradients gradients = ring_backward(builder, ring, operands, last_block);
  return_gradients(builder, group, gradients);
  sum_sink_gradient(builder, operands, rank);
  return builder.take();
}

const RegisterAlgorithm kUlysses({.name = "ulysses",
                                  .has_ulysses_level = true,
                                  .ring = RingLevel::kNone,
                                  .default_shard = ShardKind::kContiguous,
                                  .program = hybrid_program});
const RegisterAlgorithm kRing({.name = "ring",
                               .has_ulysses_level = false,
                               .ring = RingLevel::kPlain,
                               .default_shard = ShardKind::kZigzag,
                               .program = hybrid_program});
const RegisterAlgorithm kDoubleRing({.name = "double-ring",
                                     .has_ulysses_level = false,
                                     .ring = RingLevel::kWindows,
                                     .default_shard = ShardKind::kZigzag,
                                     .program = hybrid_program});
const RegisterAlgorithm kHybrid({.name = "hybrid",
                                 .has_ulysses_level = true,
                                 .ring = RingLevel::kOptionalWindows,
                                 .default_shard = ShardKind::kZigzag,
                                 .program = hybrid_program});

}  // namespace
}  // namespace cpbench
