#include "run/fault.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "backend/cpu/cpu_backend.hpp"
#include "run/in_process_job.hpp"

namespace cpbench {
namespace {

/// A ring of three with everything that a fault can break.
Case ring_case() {
  Case c;
  c.problem = {.batch = 2,
               .seq_len = 37,
               .heads = 4,
               .kv_heads = 2,
               .head_dim = 8,
               .head_dim_v = 16,
               .dtype = DType::kFp32,
               .mask = Mask::window(20, 0),
               .documents = Documents::whole(37),
               .sink = true,
               .scale = 0.4};
  c.grid = {.ulysses = 1, .outer = 1, .inner = 3};
  return c;
}

void fill_inputs(InProcessJob& job) {
  for (int r = 0; r < job.ranks(); ++r) {
    std::mt19937 random(static_cast<unsigned>(r));
    std::normal_distribution<float> normal;
    const OwnedBuffers& owned = job.program(r).owned;
    for (const BufferId id : {owned.q, owned.kv, owned.dout, owned.sink}) {
      if (id == kNoBuffer) continue;
      for (float& element : floats_of(job.rank(r).memory(), id)) element = normal(random);
    }
  }
}

std::vector<float> results_of(InProcessJob& job) {
  std::vector<float> results;
  for (int r = 0; r < job.ranks(); ++r) {
    const OwnedBuffers& owned = job.program(r).owned;
    for (const BufferId id : {owned.out, owned.lse, owned.dq, owned.dkv, owned.dsink}) {
      if (id == kNoBuffer) continue;
      const auto elements = floats_of(job.rank(r).memory(), id);
      results.insert(results.end(), elements.begin(), elements.end());
    }
  }
  return results;
}

std::vector<float> run(const Schedule& schedule, int max_delay, std::uint64_t seed, std::optional<Fault> fault = {}) {
  CpuBackend backend("simple", 1);
  InProcessJob job(schedule, backend, max_delay, seed, fault);
  fill_inputs(job);
  job.run(Part::kAll);
  return results_of(job);
}

double distance(const std::vector<float>& a, const std::vector<float>& b) {
  double squares = 0;
  for (std::size_t i = 0; i < a.size(); ++i) squares += std::pow(a[i] - b[i], 2);
  return std::sqrt(squares);
}

int ranks_with(Fault fault, const Schedule& schedule) {
  int count = 0;
  for (int r = 0; r < schedule.of.cp_size(); ++r) count += plant(fault, schedule, r).empty() ? 0 : 1;
  return count;
}

TEST(Executor, ResultsDoNotDependOnTheOrderOfDeliveries) {
  const Schedule schedule = build_schedule(ring_case());
  const std::vector<float> expected = run(schedule, 0, 0);
  EXPECT_GT(distance(expected, std::vector<float>(expected.size())), 1);
  for (std::uint64_t seed = 1; seed <= 10; ++seed) EXPECT_EQ(run(schedule, 20, seed), expected) << "seed " << seed;
}

TEST(Fault, EveryFaultHasANameOfItsOwnAndADescription) {
  std::set<std::string_view> names;
  for (const Fault fault : all_faults()) {
    names.insert(name_of(fault));
    EXPECT_FALSE(description_of(fault).empty());
  }
  EXPECT_EQ(names.size(), all_faults().size());
  EXPECT_EQ(name_of(Fault::kKvHeadsMismatched), "kv-heads-mismatched");
  EXPECT_EQ(name_of(Fault::kGradientUnsummed), "gradient-unsummed");
}

/// Checks every fault that applies, and returns how many do.
int expect_faults_change_results(const Case& c) {
  const Schedule schedule = build_schedule(c);
  const std::vector<float> right = run(schedule, 5, 1);
  const double size = distance(right, std::vector<float>(right.size()));
  int count = 0;
  for (const Fault fault : all_faults()) {
    if (!applies_to(fault, schedule)) continue;
    EXPECT_GT(distance(run(schedule, 5, 1, fault), right), 1e-3 * size) << name_of(fault);
    ++count;
  }
  return count;
}

TEST(Fault, EveryFaultChangesTheResultsOfALiveRunAndHangsNobody) {
  EXPECT_EQ(expect_faults_change_results(ring_case()), static_cast<int>(all_faults().size()));
}

TEST(Fault, FaultsChangeTheResultsOfEveryAlgorithm) {
  const auto with = [](Algorithm algorithm, Grid grid) {
    Case c = ring_case();
    c.algorithm = algorithm;
    c.grid = grid;
    c.problem.seq_len = 48;  // blocks of one size, as the faults that swap blocks need
    c.problem.documents = Documents::whole(48);
    return c;
  };
  EXPECT_GE(expect_faults_change_results(with(Algorithm::kDoubleRing, {.outer = 2, .inner = 2})), 9);
  EXPECT_GE(expect_faults_change_results(with(Algorithm::kUlysses, {.ulysses = 2})), 6);
  EXPECT_GE(expect_faults_change_results(with(Algorithm::kHybrid, {.ulysses = 2, .inner = 2})), 8);
  EXPECT_GE(expect_faults_change_results(with(Algorithm::kAllGather, {.inner = 3})), 7);
  Case merging = ring_case();
  merging.accumulate = Accumulate::kMerge;
  EXPECT_GE(expect_faults_change_results(merging), 9);
  Case unpruned = ring_case();
  unpruned.prune = false;
  unpruned.shard = ShardKind::kContiguous;
  EXPECT_GE(expect_faults_change_results(unpruned), 9);
}

TEST(Fault, FaultsOfASchedulePlantOnePlaceAndFaultsOfAKernelPlantAll) {
  const Schedule schedule = build_schedule(ring_case());
  for (const Fault fault : {Fault::kZeroLastRows, Fault::kWrongNeighbour, Fault::kSkippedStep, Fault::kStaleBuffer}) {
    EXPECT_EQ(ranks_with(fault, schedule), 1) << name_of(fault);
  }
  for (const Fault fault :
       {Fault::kMaskOffByOne, Fault::kSinkIgnored, Fault::kKvHeadsMismatched, Fault::kGradientUnsummed}) {
    EXPECT_EQ(ranks_with(fault, schedule), 3) << name_of(fault);
  }
}

TEST(Fault, NoFaultTouchesAMessage) {
  const Schedule schedule = build_schedule(ring_case());
  for (const Fault fault : all_faults()) {
    for (int r = 0; r < 3; ++r) {
      const Program& program = schedule.programs[static_cast<std::size_t>(r)];
      for (const auto& [id, ops] : plant(fault, schedule, r).instead) {
        EXPECT_FALSE(std::holds_alternative<Exchange>(program.ops[static_cast<std::size_t>(id)].action));
      }
    }
  }
}

TEST(Fault, AFaultDoesNotApplyWhereThereIsNothingToBreak) {
  const auto applicable = [](const Case& c) {
    std::set<Fault> faults;
    const Schedule schedule = build_schedule(c);
    for (const Fault fault : all_faults()) {
      if (applies_to(fault, schedule)) faults.insert(fault);
    }
    return faults;
  };
  Case single = ring_case();
  single.grid = {};
  const std::set<Fault> alone = applicable(single);
  for (const Fault fault :
       {Fault::kWrongNeighbour, Fault::kStaleBuffer, Fault::kBackwardReusesFirstBlock, Fault::kGradientUnsummed}) {
    EXPECT_FALSE(alone.contains(fault)) << name_of(fault);
  }
  Case plain = ring_case();
  plain.problem.mask = Mask::full();
  plain.problem.sink = false;
  plain.problem.kv_heads = 1;
  const std::set<Fault> unmasked = applicable(plain);
  for (const Fault fault :
       {Fault::kMaskOffByOne, Fault::kWindowIgnored, Fault::kSinkIgnored, Fault::kKvHeadsMismatched}) {
    EXPECT_FALSE(unmasked.contains(fault)) << name_of(fault);
  }
  EXPECT_TRUE(unmasked.contains(Fault::kWrongNeighbour));
}

TEST(Fault, KvHeadsAreRotated) {
  const Schedule schedule = build_schedule(ring_case());
  const Plant planted = plant(Fault::kKvHeadsMismatched, schedule, 0);
  const int group = schedule.of.problem.group();
  ASSERT_FALSE(planted.empty());
  for (const auto& [id, ops] : planted.instead) {
    std::vector<int> kv_of_q(4, -1);
    for (const Op& op : ops) {
      const HeadMap map = std::get<Attend>(op.action).heads;
      for (int i = 0; i < map.count; ++i) {
        kv_of_q[static_cast<std::size_t>(map.q_begin + i)] = (map.q_global + i) / group - map.kv_global;
      }
    }
    EXPECT_EQ(kv_of_q, (std::vector<int>{1, 1, 0, 0}));
  }
}

}  // namespace
}  // namespace cpbench
