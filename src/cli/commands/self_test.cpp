#include "cli/commands/self_test.hpp"

#include <algorithm>
#include <cstdio>
#include <set>
#include <utility>
#include <vector>

#include "cli/commands/point_runner.hpp"
#include "cli/commands/require_verified.hpp"
#include "cli/commands/together.hpp"
#include "cli/config/cli11.hpp"
#include "run/fault.hpp"
#include "support/counted.hpp"
#include "support/doing.hpp"

namespace cpbench {
namespace {

/// What a self-test does not have from its own cases. Nothing that the user says is dropped silently.
const std::set<std::string> kHonouredFlags = {
    "--self-test",      "--seed", "--reference", "--backend", "--transport",        "--kernel",    "--emulate-link",
    "--ranks-per-node", "--isa",  "--threads",   "--timeout", "--allow-shared-gpu", "--comm-ctas", "--no-graphs"};

void refuse_other_flags(const CLI::App& command) {
  std::vector<std::string> others;
  for (const CLI::Option* option : command.get_options()) {
    const std::string name = "--" + option->get_lnames().front();
    if (option->count() > 0 && !kHonouredFlags.contains(name)) others.push_back(name);
  }
  if (!others.empty()) {
    refuse("--self-test brings cases, inputs and checks of its own: leave out {}", fmt::join(others, ", "));
  }
}

/// A small problem that has whatever a fault may break: a window, sinks, grouped heads, K/V heads that the degrees of
/// Ulysses do not divide, so that places share some, and blocks of one size, as faults that swap them need.
Case base_case(int ranks) {
  Case c;
  Problem& p = c.problem;
  const auto round_up = [](int n, int multiple) { return (n + multiple - 1) / multiple * multiple; };
  p.seq_len = round_up(480, 2 * ranks);
  p.heads = round_up(ranks, 12);
  p.kv_heads = ranks % 3 == 0 ? 2 : 3;
  p.head_dim = p.head_dim_v = 16;
  p.scale = 0.25;
  p.mask = Mask::window(p.seq_len / 3, 0);
  p.documents = Documents::whole(p.seq_len);
  p.sink = true;
  c.uneven_heads = true;
  return c;
}

/// How much of an algorithm a grid exercises. Ulysses counts twice: rings have algorithms of their own.
int levels_of(const Grid& grid) { return 2 * (grid.ulysses > 1) + (grid.outer > 1) + (grid.inner > 1); }

/// Every algorithm on `ranks` ranks: the first and the last of its grids with as many levels as it can have.
std::vector<Case> cases_on(int ranks) {
  std::vector<Case> cases;
  for (const Algorithm* algorithm : all_algorithms()) {
    std::vector<Grid> grids = grids_of(*algorithm, ranks);
    const int most = levels_of(*std::ranges::max_element(grids, {}, levels_of));
    std::erase_if(grids, [&](const Grid& grid) { return levels_of(grid) < most; });
    Case c = base_case(ranks);
    c.algorithm = algorithm;
    c.shard = algorithm->default_shard;
    c.grid = grids.front();
    cases.push_back(c);
    if (grids.size() == 1) continue;
    c.shard = ShardKind::kStriped;
    c.grid = grids.back();
    cases.push_back(c);
  }
  return cases;
}

/// Runs a case, with a plant where one is given, in memory of its own, and checks the results.
ValidationReport run_and_check(const Communicator& ranks, const Settings& settings, const Schedule& schedule,
                               const Plant* plant) {
  const Case& c = schedule.of;
  const Inputs inputs(c.problem, InputKind::kNormal, settings.seed);
  const CheckOptions options{
      .mode = {.kind = CheckMode::Kind::kFull}, .pass = c.pass, .threads = settings.threads, .workers = 1};
  ValidationReport report;
  with_rank_job(schedule, ranks, settings, [&](RankJob& job) {
    job.fill(inputs);
    if (plant != nullptr) {
      job.run_once_with(*plant);
    } else {
      job.run_once();
    }
    std::unique_ptr<SingleDevice> reference;
    together(ranks, [&] { reference = settings.reference(inputs, options.threads); });  // it may need a GPU's memory
    report = check_results(inputs, *reference, options, job.tokens(), results_of(job, c), ranks);
  });
  return report;
}

std::string name_of_case(const Case& c) {
  return fmt::format("{} {}x{}x{} {} {}", c.algorithm->name, c.grid.ulysses, c.grid.outer, c.grid.inner,
                     name_of(c.shard), to_string(c.problem.mask));
}

/// The verdict on a planted run, and whether it is the one that is wanted.
std::pair<bool, std::string> verdict(const ValidationReport& sound, const ValidationReport& faulty) {
  if (!sound.passed) return {false, "MISSED: the case fails without it too"};
  if (faulty.passed) return {false, "MISSED: the checker passed it"};
  return {true, "caught: " + faulty.reason()};
}

}  // namespace

ExitCode run_self_test(const CLI::App& command, const Communicator& world, const Settings& settings) {
  refuse_other_flags(command);
  const auto say = [&](const std::string& line) {
    if (world.rank() == 0) std::fputs((line + "\n").c_str(), stdout);
  };
  std::set<Fault> nowhere;
  for (const Fault fault : all_faults()) nowhere.insert(fault);
  const std::vector<Case> cases = cases_on(world.size());
  int caught = 0, missed = 0;
  for (const Case& c : cases) {
    set_doing("testing the checker in " + name_of_case(c));
    const Schedule schedule = build_schedule(c);
    require_verified(schedule, world);
    const ValidationReport sound = run_and_check(world, settings, schedule, nullptr);
    say(fmt::format("{}: {}", name_of_case(c), sound.passed ? "ok" : "FAILED: " + sound.reason()));
    for (const Fault fault : all_faults()) {
      if (!applies_to(fault, schedule)) continue;
      nowhere.erase(fault);
      const Plant planted = plant(fault, schedule, world.rank());
      const auto [good, text] = verdict(sound, run_and_check(world, settings, schedule, &planted));
      ++(good ? caught : missed);
      say(fmt::format("  {:<27} {}", name_of(fault), text));
    }
  }
  const std::string ranks = counted(world.size(), "rank");
  for (const Fault fault : nowhere) say(fmt::format("{} cannot occur on {}", name_of(fault), ranks));
  say(fmt::format("self-test: {} caught, {} missed, in {} cases on {}", caught, missed, cases.size(), ranks));
  return missed == 0 ? ExitCode::kOk : ExitCode::kInvalid;
}

}  // namespace cpbench
