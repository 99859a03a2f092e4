#include "cli/commands/plan_point.hpp"

#include <chrono>
#include <utility>

#include "backend/platform.hpp"
#include "cli/commands/memory_plans.hpp"
#include "cli/commands/plan_text.hpp"
#include "run/placement.hpp"
#include "schedule/verify.hpp"
#include "support/counted.hpp"
#include "support/error.hpp"

namespace cpbench {
namespace {

/// All figures of the schedule, without what identifies the point.
PlanRecord figures_of_all(const Schedule& schedule, const PlanOptions& options) {
  const Platform& platform = find_platform(options.memory_of());
  PlanRecord point{.work = work_of(schedule.of)};
  for (int rank = 0; rank < schedule.of.cp_size(); ++rank) {
    const auto index = static_cast<std::size_t>(rank);
    point.ranks.push_back(
        {.tokens = count_of(schedule.tokens[index]),
         .figures = figures_of(schedule, rank, options.sweep.ranks_per_node),
         .memory_bytes = platform.planned_bytes(schedule.of.problem, schedule.programs[index], BackendOptions{})});
    point.work.add(point.ranks.back().figures);
  }
  return point;
}

void add_estimate(const Schedule& schedule, const MachineModel& machine, PlanRecord& point) {
  const Estimate estimated = estimate(schedule, machine);
  for (std::size_t rank = 0; rank < point.ranks.size(); ++rank) point.ranks[rank].estimate = estimated.of_rank[rank];
  point.estimate = estimated.slowest;
  point.machine = machine;
}

/// What is said where the programs of all ranks take more memory than is free.
struct LackOfMemory {
  std::string amounts, remedies;
};

std::optional<LackOfMemory> lack_of_memory_for_programs(const Case& c) {
  const std::int64_t free = available_memory();
  const MemoryPlan needed = plan_of_programs(c, free);
  if (needed.bytes <= free) return std::nullopt;
  return LackOfMemory{
      .amounts = fmt::format("needs about {} of memory for the programs, but only {} is free",
                             bytes_text(static_cast<double>(needed.bytes)), bytes_text(static_cast<double>(free))),
      .remedies = text_of_remedies(needed.remedies)};
}

void require_memory_for_programs(const Case& c) {
  const std::optional<LackOfMemory> lack = lack_of_memory_for_programs(c);
  if (!lack) return;
  throw Error(ExitCode::kPlacement,
              fmt::format("planning {} {}{}", counted(c.cp_size(), "rank"), lack->amounts, lack->remedies));
}

/// The totals of the same case with the other setting of --prune: the same where pruning found nothing to do.
std::string prune_text(const Case& c, bool found_any, const std::string& totals, const PlanOptions& options) {
  Case other = c;
  other.prune = !c.prune;
  std::string otherwise = totals;
  if (!c.prune || found_any) {
    const std::optional<LackOfMemory> lack = lack_of_memory_for_programs(other);
    otherwise =
        lack ? "not planned, as that " + lack->amounts : totals_text(figures_of_all(build_schedule(other), options));
  }
  if (otherwise == totals) return fmt::format("  with --prune on or off: {}\n", totals);
  return fmt::format("  with --prune on:  {}\n  with --prune off: {}\n", c.prune ? totals : otherwise,
                     c.prune ? otherwise : totals);
}

std::string verdict_text(const PlanRecord& point, double built_s, double verified_s) {
  std::string text = fmt::format("  {} for all ranks (built in {:.2f} s, verified in {:.2f} s)\n",
                                 point.status == Status::kOk ? "verified" : "NOT VERIFIED", built_s, verified_s);
  for (const std::string& fault : point.faults) text += "  fault: " + fault + "\n";
  return text;
}

}  // namespace

PlannedPoint plan_point(const Case& c, const PlanOptions& options, const std::optional<MachineModel>& machine,
                        Shown shown) {
  if (options.rank >= c.cp_size()) refuse("--rank {} does not exist: cp_size is {}", options.rank, c.cp_size());
  require_memory_for_programs(c);
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  PlanRecord point;
  std::string text;
  bool pruned = false;
  {
    const Schedule schedule = build_schedule(c);
    const double built_s = elapsed();
    const Verdict verdict = verify(schedule);
    const double verified_s = elapsed() - built_s;
    point = figures_of_all(schedule, options);
    point.status = verdict.passed ? Status::kOk : Status::kInvalid;
    point.faults = verdict.faults;
    pruned = schedule.pruned;
    if (machine && verdict.passed) add_estimate(schedule, *machine, point);
    if (shown == Shown::kNoMore) return {.record = std::move(point), .text = {}};
    text = describe_case(c, options.sweep.ranks_per_node) + verdict_text(point, built_s, verified_s) +
           figures_text(point, options.estimate.memory_bytes());
    if (point.estimate) text += estimate_text(point);
    if (shown == Shown::kProgram) text += steps_text(schedule, options.rank, options.all_steps);
  }  // the schedule is freed before the other one is built
  text += prune_text(c, pruned, totals_text(point), options) + "\n";
  return {.record = std::move(point), .text = std::move(text)};
}

}  // namespace cpbench
