#include "cli/commands/self_test.hpp"

#include <cstdio>
#include <map>
#include <numeric>
#include <vector>

#include "cli/commands/mpi_collective.hpp"
#include "cli/commands/point_runner.hpp"
#include "run/fault.hpp"

namespace cpbench {
namespace {

/// A small problem that has everything a fault may break: grouped heads, a window, sinks, odd lengths.
Case base_case() {
  Case c;
  Problem& p = c.problem;
  p.seq_len = 509;
  p.heads = 8;
  p.kv_heads = 2;
  p.head_dim = p.head_dim_v = 32;
  p.scale = 0.17677669529663687;
  p.documents = Documents::whole(p.seq_len);
  p.sink = true;
  return c;
}

/// What can be run on `ranks` ranks, in the order in which a place for a fault is looked for.
std::vector<Case> candidates(int ranks) {
  std::vector<Case> cases;
  const auto add = [&](Algorithm algorithm, Grid grid, ShardKind shard, const Mask& mask) {
    Case c = base_case();
    c.algorithm = algorithm;
    c.grid = grid;
    c.shard = shard;
    c.problem.mask = mask;
    cases.push_back(c);
  };
  const Grid ring{.ulysses = 1, .outer = 1, .inner = ranks};
  add(Algorithm::kRing, ring, ShardKind::kZigzag, Mask::causal());
  add(Algorithm::kRing, ring, ShardKind::kContiguous, Mask::window(150, 0));
  if (ranks % 2 == 0) {
    add(Algorithm::kHybrid, {.ulysses = 2, .outer = 1, .inner = ranks / 2}, ShardKind::kZigzag, Mask::causal());
  }
  // Four places share two K/V heads.
  const int degree = std::gcd(ranks, 4);
  add(Algorithm::kHybrid, {.ulysses = degree, .outer = 1, .inner = ranks / degree}, ShardKind::kZigzag, Mask::causal());
  add(Algorithm::kAllGather, ring, ShardKind::kContiguous, Mask::causal());
  return cases;
}

/// Runs a case, with a plant where one is given, in memory of its own, and checks the results.
ValidationReport run_and_check(const Communicator& ranks, const Settings& settings, const Schedule& schedule,
                               const Plant* plant) {
  const Case& c = schedule.of;
  const Inputs inputs(c.problem, InputKind::kNormal, settings.seed);
  RankJob job(schedule, ranks, settings);
  job.fill(inputs);
  if (plant != nullptr) {
    job.run_once_with(*plant);
  } else {
    job.run_once();
  }
  MpiCollective collective(ranks);
  const CheckOptions options{
      .mode = {.kind = CheckMode::Kind::kFull}, .pass = c.pass, .threads = settings.threads, .workers = 1};
  return check_results(inputs, options, job.tokens(), results_of(job, c), collective);
}

const Schedule* place_for(Fault fault, const std::vector<Schedule>& schedules) {
  for (const Schedule& schedule : schedules) {
    if (applies_to(fault, schedule)) return &schedule;
  }
  return nullptr;
}

std::string name_of_case(const Case& c) {
  return fmt::format("{} {}x{}x{} {} {}", name_of(c.algorithm), c.grid.ulysses, c.grid.outer, c.grid.inner,
                     name_of(c.shard), to_string(c.problem.mask));
}

}  // namespace

ExitCode run_self_test(const Communicator& world, const Settings& settings) {
  std::vector<Schedule> schedules;
  for (const Case& c : candidates(world.size())) schedules.push_back(build_schedule(c));
  std::map<const Schedule*, ValidationReport> unplanted;
  int caught = 0, missed = 0, nowhere = 0;
  const auto say = [&](const std::string& line) {
    if (world.rank() == 0) std::fputs((line + "\n").c_str(), stdout);
  };
  for (const Fault fault : all_faults()) {
    const Schedule* schedule = place_for(fault, schedules);
    if (schedule == nullptr) {
      ++nowhere;
      say(fmt::format("{:<30} cannot occur on {} ranks", name_of(fault), world.size()));
      continue;
    }
    const Plant planted = plant(fault, *schedule, world.rank());
    if (!unplanted.contains(schedule)) unplanted[schedule] = run_and_check(world, settings, *schedule, nullptr);
    const ValidationReport& sound = unplanted[schedule];
    const ValidationReport faulty = run_and_check(world, settings, *schedule, &planted);
    const bool good = sound.passed && !faulty.passed;
    ++(good ? caught : missed);
    say(fmt::format("{:<30} {} ({}): {}", name_of(fault), good ? "caught" : "MISSED", name_of_case(schedule->of),
                    !sound.passed ? "the same case fails without it: " + sound.reason()
                                  : (faulty.passed ? "the checker passed it" : faulty.reason())));
  }
  say(fmt::format("self-test: {} caught, {} missed, {} cannot occur on {} ranks", caught, missed, nowhere,
                  world.size()));
  return missed == 0 ? ExitCode::kOk : ExitCode::kInvalid;
}

}  // namespace cpbench
