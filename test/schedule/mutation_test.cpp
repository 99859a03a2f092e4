// Of randomly damaged programs, verify passes none that brute force shows to be wrong.
#include "schedule/mutation.hpp"

#include <gtest/gtest.h>

#include "schedule/brute_force.hpp"
#include "schedule/small_cases.hpp"
#include "schedule/verify.hpp"

namespace cpbench {
namespace {

constexpr int kMutations = 1000;
constexpr int kOrders = 4;  // random orders that each damaged program is run in

TEST(Mutation, VerifyPassesNoneThatBruteForceFindsWrong) {
  std::mt19937_64 random(7);
  int wrong = 0, rejected = 0;
  for (int i = 0; i < kMutations; ++i) {
    const Case c = random_small_case(random);
    Schedule schedule = build_schedule(c);
    const std::string damage = mutate(schedule, random);
    const bool passed = verify(schedule).passed;
    rejected += passed ? 0 : 1;
    BruteForceResult result;
    for (int order = 0; order < kOrders && result.right; ++order) result = run_by_brute_force(schedule, random());
    wrong += result.right ? 0 : 1;
    EXPECT_TRUE(result.right || !passed) << describe(c) << "\n" << damage << ": " << result.reason;
  }
  RecordProperty("wrong", wrong);
  RecordProperty("rejected", rejected);
  // Or else the test would show nothing.
  EXPECT_GT(wrong, kMutations / 2);
}

}  // namespace
}  // namespace cpbench
