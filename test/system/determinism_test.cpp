// What must not show in the results, not even in their last bit; of pruning, all that must not.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "schedule/schedule.hpp"
#include "system/mismatches.hpp"
#include "system/test_case.hpp"

namespace cpbench::test {
namespace {

constexpr std::uint64_t kSeeds = 200;

/// The ranks that send sums of dK/dV to `rank` in each exchange.
std::map<std::int32_t, std::set<int>> senders_of_sums(const Schedule& schedule, int rank) {
  const Program& program = schedule.programs[static_cast<std::size_t>(rank)];
  std::map<std::int32_t, std::set<int>> senders;
  for (const Op& op : program.ops) {
    const auto* exchange = std::get_if<Exchange>(&op.action);
    if (exchange == nullptr) continue;
    for (const Transfer& t : program.receives(*exchange)) {
      if (program.buffer(t.region.buffer).role == Role::kAccumulator) senders[exchange->ordinal].insert(t.peer);
    }
  }
  return senders;
}

/// Whether pruning sends a part of a sum to another rank than it goes to otherwise: home.
bool parts_sums(Case c) {
  c.prune = true;
  const Schedule pruned = build_schedule(c);
  c.prune = false;
  const Schedule whole = build_schedule(c);
  for (int rank = 0; rank < c.cp_size(); ++rank) {
    auto otherwise = senders_of_sums(whole, rank);
    for (const auto& [ordinal, senders] : senders_of_sums(pruned, rank)) {
      if (!std::ranges::includes(otherwise[ordinal], senders)) return true;
    }
  }
  return false;
}

/// Parts of a sum that go home by themselves are added in another order, which shows in the last bits of dK and dV.
/// Nothing else does.
void expect_same_but_for_parted_sums(const TestCase& t, Results pruned, const Results& expected) {
  if (parts_sums(t.c)) {
    const std::vector<std::string> wrong = mismatches(t.c, expect(t.c, t.inputs()), pruned);
    EXPECT_TRUE(wrong.empty()) << wrong.front() << "\n" << t;
    pruned.dk = expected.dk;
    pruned.dv = expected.dv;
  }
  EXPECT_EQ(pruned, expected) << t;
}

class Determinism : public testing::TestWithParam<std::uint64_t> {
 protected:
  TestCase t_ = random_case(GetParam());
  testing::ScopedTrace trace_{__FILE__, __LINE__, testing::Message() << t_};
};

TEST_P(Determinism, RunningAgainOnTheSameBuffersChangesNothing) {
  CaseJob job = t_.job(t_.options());
  job.run(Pass::kForwardBackward);
  const Results first = job.results();
  for (int again = 0; again < 2; ++again) {
    job.run(Pass::kForwardBackward);
    EXPECT_EQ(job.results(), first);
  }
}

TEST_P(Determinism, NeitherDelaysNorTheOrderOfRanksShow) {
  const Results expected = run_once(t_, {.max_delay = 0, .seed = 0});
  for (const int max_delay : {0, 3, 40}) {
    const JobOptions disorder{.max_delay = max_delay, .seed = GetParam() + 1};
    EXPECT_EQ(run_once(t_, disorder), expected) << "delays up to " << max_delay;
  }
}

TEST_P(Determinism, NeitherOverlapNorPruningShows) {
  t_.c.overlap = t_.c.prune = false;
  const Results expected = run_once(t_, t_.options());
  t_.c.overlap = true;
  EXPECT_EQ(run_once(t_, t_.options()), expected) << t_;
  t_.c.prune = true;
  const Results pruned = run_once(t_, t_.options());
  t_.c.overlap = false;
  EXPECT_EQ(run_once(t_, t_.options()), pruned) << t_;
  expect_same_but_for_parted_sums(t_, pruned, expected);
}

TEST(DeterminismSeeds, PartSumsAndLeaveThemWhole) {
  int parted = 0;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) parted += parts_sums(random_case(seed).c);
  EXPECT_GT(parted, 2);
  EXPECT_LT(parted, static_cast<int>(kSeeds) / 2);
}

INSTANTIATE_TEST_SUITE_P(Seeds, Determinism, testing::Range(std::uint64_t{0}, kSeeds));

}  // namespace
}  // namespace cpbench::test
