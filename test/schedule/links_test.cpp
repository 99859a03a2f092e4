// Messages count for the link between their two ranks, whichever hop they are sent in.
#include <gtest/gtest.h>

#include "schedule/schedule.hpp"
#include "schedule/small_cases.hpp"

namespace cpbench {
namespace {

TEST(Links, OfEveryTransferAreThoseBetweenItsRanks) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 200; ++i) {
    const Case c = random_small_case(random);
    SCOPED_TRACE(describe(c));
    const Schedule schedule = build_schedule(c);
    for (int rank = 0; rank < c.cp_size(); ++rank) {
      for (const Transfer& t : schedule.programs[static_cast<std::size_t>(rank)].transfers) {
        ASSERT_EQ(t.link, link_between(c.grid, rank, t.peer)) << rank << " and " << t.peer;
      }
    }
  }
}

TEST(Links, OfABypassedRelayIsTheOneThatItTakes) {
  // Two windows of four, and a window: of the blocks that skip ranks some leave their window on the way.
  Case c;
  c.algorithm = find_algorithm("double-ring");
  c.grid = {.outer = 2, .inner = 4};
  c.shard = ShardKind::kContiguous;
  Problem& p = c.problem;
  p.seq_len = 64;
  p.mask = Mask::window(24, 0);
  p.documents = Documents::whole(p.seq_len);
  p.heads = p.kv_heads = 1;
  p.head_dim = p.head_dim_v = 8;
  c.prune = true;
  const Schedule schedule = build_schedule(c);
  bool outer_on_inner_stream = false;
  for (const Program& program : schedule.programs) {
    for (const Op& op : program.ops) {
      const auto* exchange = std::get_if<Exchange>(&op.action);
      if (exchange == nullptr || op.stream != Stream::kInner) continue;
      if (program.farthest_link(*exchange) == Link::kOuter) outer_on_inner_stream = true;
    }
  }
  EXPECT_TRUE(outer_on_inner_stream);
}

}  // namespace
}  // namespace cpbench
