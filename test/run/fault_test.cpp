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
  c.algorithm = find_algorithm("ring");
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
    for (const BufferId id : job.program(r).owned.inputs()) {
      for (float& element : floats_of(job.rank(r).memory(), id)) element = normal(random);
    }
  }
}

std::vector<float> results_of(InProcessJob& job) {
  std::vector<float> results;
  for (int r = 0; r < job.ranks(); ++r) {
    for (const BufferId id : job.program(r).owned.results()) {
      const auto elements = floats_of(job.rank(r).memory(), id);
      results.insert(results.end(), elements.begin(), elements.end());
    }
  }
  return results;
}

std::vector<float> run(const Schedule& schedule, int max_delay, std::uint64_t seed, std::optional<Fault> fault = {}) {
  CpuBackend backend("simple", 1);
  JobOptions options{.max_delay = max_delay, .seed = seed};
  if (fault) options.plant = [&](const Schedule& of, int rank) { return plant(*fault, of, rank); };
  InProcessJob job(schedule, backend, options);
  fill_inputs(job);
  job.run(Pass::kForwardBackward);
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

TEST(Fault, EveryFaultHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (const Fault fault : all_faults()) names.insert(name_of(fault));
  EXPECT_EQ(names.size(), all_faults().size());
  EXPECT_EQ(name_of(Fault::kKvHeadsMismatched), "kv-heads-mismatched");
  EXPECT_EQ(name_of(Fault::kSinkGradientUnsummed), "sink-gradient-unsummed");
}

std::set<Fault> applicable(const Case& c) {
  std::set<Fault> faults;
  const Schedule schedule = build_schedule(c);
  for (const Fault fault : all_faults()) {
    if (applies_to(fault, schedule)) faults.insert(fault);
  }
  return faults;
}

/// Every fault but `missing`.
std::set<Fault> all_but(const std::set<Fault>& missing) {
  std::set<Fault> faults;
  for (const Fault fault : all_faults()) {
    if (!missing.contains(fault)) faults.insert(fault);
  }
  return faults;
}

void expect_faults_change_results(const Case& c) {
  const Schedule schedule = build_schedule(c);
  const std::vector<float> right = run(schedule, 5, 1);
  const double size = distance(right, std::vector<float>(right.size()));
  for (const Fault fault : applicable(c)) {
    EXPECT_GT(distance(run(schedule, 5, 1, fault), right), 1e-3 * size) << name_of(fault);
  }
}

TEST(Fault, EveryFaultChangesTheResultsOfALiveRunAndHangsNobody) {
  const auto with = [](const char* algorithm, Grid grid) {
    Case c = ring_case();
    c.algorithm = find_algorithm(algorithm);
    c.grid = grid;
    c.problem.heads = 6;
    c.problem.kv_heads = 3;  // one is shared by two places
    c.problem.seq_len = 48;  // blocks of one size, as the faults that swap blocks need
    c.problem.documents = Documents::whole(48);
    return c;
  };
  const Case hybrid = with("hybrid", {.ulysses = 2, .outer = 2, .inner = 2});
  EXPECT_EQ(applicable(hybrid), all_but({}));
  expect_faults_change_results(hybrid);

  const Case double_ring = with("double-ring", {.outer = 2, .inner = 2});
  EXPECT_EQ(applicable(double_ring), all_but({Fault::kReplicasUnsummed}));
  expect_faults_change_results(double_ring);

  const Case ulysses = with("ulysses", {.ulysses = 2});
  EXPECT_EQ(applicable(ulysses), all_but({Fault::kWrongNeighbour, Fault::kBackwardReusesFirstBlock,
                                          Fault::kStaleOuterBlock, Fault::kGradientUnsummed}));
  expect_faults_change_results(ulysses);

  const Case all_gather = with("all-gather", {.inner = 3});
  for (const Fault fault : {Fault::kStaleBuffer, Fault::kGradientUnsummed, Fault::kSinkGradientUnsummed}) {
    EXPECT_TRUE(applicable(all_gather).contains(fault)) << name_of(fault);
  }
  expect_faults_change_results(all_gather);
}

TEST(Fault, FaultsChangeTheResultsOfARingHoweverItRuns) {
  const std::set<Fault> of_a_ring = all_but({Fault::kStaleOuterBlock, Fault::kReplicasUnsummed});
  EXPECT_EQ(applicable(ring_case()), of_a_ring);
  expect_faults_change_results(ring_case());
  Case merging = ring_case();
  merging.accumulate = Accumulate::kMerge;
  expect_faults_change_results(merging);
  Case unpruned = ring_case();
  unpruned.prune = false;
  unpruned.shard = ShardKind::kContiguous;
  expect_faults_change_results(unpruned);
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
  Case single = ring_case();
  single.grid = {};
  const std::set<Fault> alone = applicable(single);
  for (const Fault fault :
       {Fault::kWrongNeighbour, Fault::kStaleBuffer, Fault::kStaleOuterBlock, Fault::kBackwardReusesFirstBlock,
        Fault::kGradientUnsummed, Fault::kReplicasUnsummed, Fault::kSinkGradientUnsummed}) {
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
        const auto q = static_cast<std::size_t>(map.q_begin) + static_cast<std::size_t>(i);
        kv_of_q[q] = (map.q_global + i) / group - map.kv_global;
      }
    }
    EXPECT_EQ(kv_of_q, (std::vector<int>{1, 1, 0, 0}));
  }
}

}  // namespace
}  // namespace cpbench
