// Verify passes what is right, and brute force agrees that it is.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "schedule/brute_force.hpp"
#include "schedule/small_cases.hpp"
#include "schedule/verify.hpp"

namespace cpbench {
namespace {

TEST(VerifyAccepts, RandomSmallCasesThatBruteForceFindsRight) {
  std::mt19937_64 random(20240611);
  for (int i = 0; i < 1500; ++i) {
    const Case c = random_small_case(random);
    SCOPED_TRACE(describe(c));
    const Schedule schedule = build_schedule(c);
    const Verdict verdict = verify(schedule);
    EXPECT_TRUE(verdict.passed) << verdict.faults.front();
    const BruteForceResult result = run_by_brute_force(schedule, random());
    EXPECT_TRUE(result.right) << result.reason;
    if (HasFailure()) break;
  }
}

/// A million tokens and some on 64 ranks, with documents of all sizes.
Case long_case(const char* algorithm, Grid grid, ShardKind shard) {
  Case c;
  c.algorithm = find_algorithm(algorithm);
  c.grid = grid;
  c.shard = shard;
  c.problem.seq_len = 1'000'003;
  std::vector<std::int64_t> lengths = {1, 17, 400'000, 3, 250'000, 99'999};
  lengths.push_back(c.problem.seq_len - std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0}));
  c.problem.documents = Documents::from_lengths(lengths, c.problem.seq_len);
  c.problem.heads = 32;
  c.problem.kv_heads = 8;
  return c;
}

TEST(VerifyAccepts, LongSequencesOnManyRanksAndMissesNoPair) {
  const std::vector<Case> cases = {
      long_case("ring", {.ulysses = 1, .outer = 1, .inner = 64}, ShardKind::kZigzag),
      long_case("ring", {.ulysses = 1, .outer = 1, .inner = 64}, ShardKind::kZigzagDocs),
      long_case("double-ring", {.ulysses = 1, .outer = 8, .inner = 8}, ShardKind::kStriped),
      long_case("hybrid", {.ulysses = 4, .outer = 4, .inner = 4}, ShardKind::kZigzag),
      long_case("hybrid", {.ulysses = 4, .outer = 4, .inner = 4, .order = RankOrder::kRingInner},
                ShardKind::kContiguous),
      long_case("ulysses", {.ulysses = 32, .outer = 1, .inner = 1}, ShardKind::kContiguous),
      long_case("all-gather", {.ulysses = 1, .outer = 1, .inner = 64}, ShardKind::kZigzag)};
  for (const Case& c : cases) {
    SCOPED_TRACE(describe(c));
    Schedule schedule = build_schedule(c);
    const Verdict verdict = verify(schedule);
    EXPECT_TRUE(verdict.passed) << verdict.faults.front();

    // One pair fewer, of half a trillion: the last tile that ends in a corner loses it.
    Program& program = schedule.programs[5];
    const auto tile =
        std::ranges::find_if(program.tiles, [](const Tile& t) { return t.lo == -(t.q_count - 1) && t.q_count > 1; });
    ASSERT_NE(tile, program.tiles.end());
    ++tile->lo;
    EXPECT_FALSE(verify(schedule).passed);
  }
}

}  // namespace
}  // namespace cpbench
