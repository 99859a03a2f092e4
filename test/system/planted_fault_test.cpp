// The comparison of the property tests sees every fault that the checker's self-test plants, and single wrong pairs.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "run/fault.hpp"
#include "system/mismatches.hpp"
#include "system/test_case.hpp"
#include "system/wrong_pair.hpp"

namespace cpbench::test {
namespace {

/// A random case in which no value is hidden by others: with alike inputs a wrong block is as good as the right one,
/// with a few enormous logits the other keys do not count, and on ranks without tokens there is nothing to break.
TestCase revealing_case(std::uint64_t seed) {
  TestCase t = random_case(seed);
  t.input = InputKind::kNormal;
  t.c.prune = true;
  Problem& p = t.c.problem;
  p.scale = 1 / std::sqrt(static_cast<double>(p.head_dim));
  if (p.seq_len < t.c.cp_size()) {
    p.seq_len = t.c.cp_size();
    p.documents = Documents::whole(p.seq_len);
  }
  return t;
}

Results run_with_fault(const TestCase& t, Fault fault) {
  JobOptions options = t.options();
  options.plant = [fault](const Schedule& schedule, int rank) { return plant(fault, schedule, rank); };
  return run_once(t, options);
}

Results run_with_wrong_pair(const TestCase& t, const WrongPair& wrong) {
  JobOptions options = t.options();
  options.plant = [&wrong](const Schedule& schedule, int rank) {
    return rank == wrong.rank ? wrong.plant : Plant{schedule.programs[static_cast<std::size_t>(rank)], {}, {}};
  };
  return run_once(t, options);
}

class PlantedFault : public testing::TestWithParam<Fault> {};

TEST_P(PlantedFault, IsSeenInEveryCaseThatHasAPlaceForIt) {
  constexpr int kPlants = 20;
  int planted = 0;
  for (std::uint64_t seed = 0; planted < kPlants; ++seed) {
    ASSERT_LT(seed, 1000u) << "only " << planted << " cases have a place for it";
    const TestCase t = revealing_case(seed);
    if (!applies_to(GetParam(), build_schedule(t.c))) continue;
    ++planted;
    const Expectation expectation = expect(t.c, t.inputs());
    EXPECT_FALSE(mismatches(t.c, expectation, run_with_fault(t, GetParam())).empty())
        << t << "\nworst error, in tolerances: " << worst_ratio(t.c, expectation, run_with_fault(t, GetParam()));
    EXPECT_TRUE(mismatches(t.c, expectation, run_once(t, t.options())).empty()) << "unplanted: " << t;
  }
}

INSTANTIATE_TEST_SUITE_P(Faults, PlantedFault, testing::ValuesIn(all_faults()), [](const auto& instance) {
  std::string name(name_of(instance.param));
  std::ranges::replace(name, '-', '_');
  return name;
});

/// Share of seeded cases in which one wrong pair in one row is seen.
double share_seen(DType dtype, bool backward) {
  int planted = 0, seen = 0;
  for (std::uint64_t seed = 0; planted < 40; ++seed) {
    TestCase t = revealing_case(seed);
    t.c.problem.dtype = dtype;
    t.c.accumulate = Accumulate::kFused;
    t.c.pass = backward ? Pass::kForwardBackward : Pass::kForward;
    const auto wrong = wrong_pair(build_schedule(t.c), backward, seed);
    if (!wrong) continue;
    ++planted;
    if (!mismatches(t.c, expect(t.c, t.inputs()), run_with_wrong_pair(t, *wrong)).empty()) ++seen;
  }
  return static_cast<double>(seen) / planted;
}

TEST(WrongPair, IsSeenInTheForwardPassOfEveryDtype) {
  EXPECT_EQ(share_seen(DType::kFp32, false), 1);
  EXPECT_EQ(share_seen(DType::kBf16, false), 1);
  EXPECT_EQ(share_seen(DType::kFp16, false), 1);
}

TEST(WrongPair, IsSeenInTheBackwardPass) {
  EXPECT_EQ(share_seen(DType::kFp32, true), 1);
  EXPECT_EQ(share_seen(DType::kFp16, true), 1);
  // A pair with little of the probability changes a gradient by less than its rounding to 8 bits.
  EXPECT_GE(share_seen(DType::kBf16, true), 0.95);
}

}  // namespace
}  // namespace cpbench::test
