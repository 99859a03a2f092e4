// What pruning costs and saves: docs/algorithms.md says how much memory it may take.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>

#include "schedule/figures.hpp"
#include "schedule/small_cases.hpp"
#include "schedule/verify.hpp"
#include "shard/random_documents.hpp"

namespace cpbench {
namespace {

struct Needs {
  int sums = 0, blocks = 0;  ///< dK/dV and K/V, of the rank with most of them
  std::int64_t memory = 0;   ///< of the rank that allocates most
  std::int64_t of_sum = 0, of_block = 0;
  std::int64_t sent = 0;  ///< by all ranks
};

void add(Needs& needs, const Program& program, std::int64_t batch) {
  int sums = 0, blocks = 0;
  for (const Buffer& b : program.buffers) {
    const bool is_sum = b.role == Role::kAccumulator && b.dim_v > 0, is_block = b.role == Role::kKv;
    sums += is_sum;
    blocks += is_block;
    if (is_sum) needs.of_sum = std::max(needs.of_sum, b.bytes(batch));
    if (is_block) needs.of_block = std::max(needs.of_block, b.bytes(batch));
  }
  needs.sums = std::max(needs.sums, sums);
  needs.blocks = std::max(needs.blocks, blocks);
  needs.memory = std::max(needs.memory, program.total_bytes(batch));
}

Needs needs_of(Case c, bool prune) {
  c.prune = prune;
  const Schedule schedule = build_schedule(c);
  const Verdict verdict = verify(schedule);
  EXPECT_TRUE(verdict.passed) << verdict.faults.front();
  Needs needs;
  for (int rank = 0; rank < c.cp_size(); ++rank) {
    add(needs, schedule.programs[static_cast<std::size_t>(rank)], c.problem.batch);
    needs.sent += figures_of(schedule, rank, 0).bytes_sent();
  }
  return needs;
}

/// Windows and documents on up to 24 ranks: every block of K/V has readers here and there along the ring.
Case random_backward_case(std::mt19937_64& random) {
  const auto one_of = [&](const auto& values) { return values[random() % std::size(values)]; };
  Case c = random_small_case(random);
  c.grid = one_of(grids_of(*c.algorithm, static_cast<int>(1 + random() % 24)));
  c.pass = one_of(std::array{Pass::kBackward, Pass::kForwardBackward});
  c.uneven_heads = false;
  Problem& p = c.problem;
  p.seq_len = c.cp_size() * static_cast<std::int64_t>(1 + random() % 12) + static_cast<std::int64_t>(random() % 3);
  p.heads = p.kv_heads = c.grid.ulysses * static_cast<int>(1 + random() % 2);
  const auto reach = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(p.seq_len));
  p.mask = one_of(std::array{Mask::causal(), Mask::window(reach, 0), Mask::window(reach / 3, 0),
                             Mask::window(reach / 8, reach / 4), Mask::full()});
  const std::int64_t longest = 1 + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(p.seq_len));
  p.documents = random() % 2 == 0 ? Documents::whole(p.seq_len) : random_documents(random, p.seq_len, longest);
  return c;
}

TEST(Prune, SendsNoMoreAndKeepsAtMostTwoMoreSums) {
  std::mt19937_64 random(20261129);
  int parted = 0;
  for (int i = 0; i < 1000 && !testing::Test::HasFailure(); ++i) {
    const Case c = random_backward_case(random);
    SCOPED_TRACE(describe(c));
    const Needs on = needs_of(c, true), off = needs_of(c, false);
    EXPECT_LE(on.sent, off.sent);
    const bool scattered = c.shard == ShardKind::kZigzagDocs || c.grid.outer > 1;
    EXPECT_LE(on.sums, off.sums + (scattered ? 2 : 1));
    EXPECT_LE(on.blocks, off.blocks + (c.grid.outer > 1 ? 1 : 0));
    EXPECT_LE(on.memory, off.memory + 2 * on.of_sum + (c.grid.outer > 1 ? on.of_block : 0));
    parted += on.sums > off.sums;
  }
  EXPECT_GT(parted, 50) << "cases that are meant to be hard";
}

/// Cases in which the first chunks' and the second chunks' readers are far apart in the ring.
TEST(Prune, TakesOneSumMoreHoweverLongTheWindow) {
  Case c;
  c.algorithm = find_algorithm("ring");
  c.grid = {.ulysses = 1, .outer = 1, .inner = 64};
  c.problem.seq_len = 65536;
  c.problem.documents = Documents::whole(c.problem.seq_len);
  c.problem.heads = c.problem.kv_heads = 8;
  for (const std::int64_t window : {512, 4096, 16384, 30000}) {
    c.problem.mask = Mask::window(window, 0);
    const Needs on = needs_of(c, true), off = needs_of(c, false);
    EXPECT_LE(on.memory, off.memory + on.of_sum) << "window " << window;
    EXPECT_LT(on.sent, off.sent) << "window " << window;
  }
}

/// A ring in which rank 1 does `kMistake` with its last exchange.
template <auto kMistake>
Program mistaken_ring(const Case& c, const Shards& shards, int rank) {
  Program program = find_algorithm("ring")->program(c, shards, rank);
  if (rank != 1) return program;
  for (std::size_t id = program.ops.size(); id-- > 0;) {
    if (std::holds_alternative<Exchange>(program.ops[id].action)) {
      kMistake(program, id);
      break;
    }
  }
  return program;
}

TEST(Prune, LeavesMessagesThatDoNotMatchToVerification) {
  constexpr auto kForgetExchange = [](Program& p, std::size_t id) {
    p.ops.erase(p.ops.begin() + static_cast<std::ptrdiff_t>(id));
  };
  constexpr auto kForgetSend = [](Program& p, std::size_t id) { std::get<Exchange>(p.ops[id].action).sends.count = 0; };
  constexpr auto kForgetReceive = [](Program& p, std::size_t id) {
    std::get<Exchange>(p.ops[id].action).receives.count = 0;
  };
  constexpr auto kSendToAnother = [](Program& p, std::size_t id) {
    p.transfers[std::get<Exchange>(p.ops[id].action).sends.begin].peer = 3;
  };
  constexpr auto kSendToNobody = [](Program& p, std::size_t id) {
    p.transfers[std::get<Exchange>(p.ops[id].action).sends.begin].peer = 4;
  };
  for (const auto& program : {mistaken_ring<kForgetExchange>, mistaken_ring<kForgetSend>, mistaken_ring<kForgetReceive>,
                              mistaken_ring<kSendToAnother>, mistaken_ring<kSendToNobody>}) {
    Case c = even_case("ring", {.ulysses = 1, .outer = 1, .inner = 4}, 1);
    Algorithm mistaken = *c.algorithm;
    mistaken.program = program;
    c.algorithm = &mistaken;
    c.problem.mask = Mask::window(8, 0);
    const Schedule schedule = build_schedule(c);
    EXPECT_TRUE(schedule.pruned) << "a case that prune looks at";
    EXPECT_FALSE(verify(schedule).passed);
  }
}

}  // namespace
}  // namespace cpbench
