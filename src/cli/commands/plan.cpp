// `cpbench plan`: programs, their proof, memory, bytes and FLOPs; runs nothing.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>

#include "backend/platform.hpp"
#include "cli/commands/estimate_options.hpp"
#include "cli/commands/job_header.hpp"
#include "cli/commands/memory_plans.hpp"
#include "cli/commands/plan_text.hpp"
#include "cli/commands/point_sweep.hpp"
#include "cli/commands/subcommand.hpp"
#include "cli/commands/sweep_of.hpp"
#include "cli/config/cli11.hpp"
#include "result/file.hpp"
#include "result/plan.hpp"
#include "result/tool.hpp"
#include "run/placement.hpp"
#include "schedule/verify.hpp"
#include "support/counted.hpp"
#include "support/error.hpp"

namespace cpbench {
namespace {

struct PlanOptions {
  SweepOptions sweep;
  EstimateOptions estimate;
  std::string backend = "cpu";
  int rank = 0;
  bool all_steps = false;
  std::string json;  ///< empty: none
  bool overwrite = false;

  std::string memory_of() const { return backend == "auto" ? "cpu" : backend; }
};

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

/// Without what identifies the point.
PlanRecord plan_point(const Case& c, const PlanOptions& options, const std::optional<MachineModel>& machine,
                      bool shows_program) {
  if (options.rank >= c.cp_size()) refuse("--rank {} does not exist: cp_size is {}", options.rank, c.cp_size());
  require_memory_for_programs(c);
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  std::string text = describe_case(c, options.sweep.ranks_per_node);
  PlanRecord point;
  bool pruned = false;
  {
    const Schedule schedule = build_schedule(c);
    const double built_s = elapsed();
    const Verdict verdict = verify(schedule);
    text += fmt::format("  {} for all ranks (built in {:.2f} s, verified in {:.2f} s)\n",
                        verdict.passed ? "verified" : "NOT VERIFIED", built_s, elapsed() - built_s);
    for (const std::string& fault : verdict.faults) text += "  fault: " + fault + "\n";
    point = figures_of_all(schedule, options);
    point.status = verdict.passed ? Status::kOk : Status::kInvalid;
    point.faults = verdict.faults;
    pruned = schedule.pruned;
    text += figures_text(point);
    if (machine && verdict.passed) {
      add_estimate(schedule, *machine, point);
      text += estimate_text(point, machine->links);
    }
    if (shows_program) text += steps_text(schedule, options.rank, options.all_steps);
  }  // the schedule is freed before the other one is built
  text += prune_text(c, pruned, totals_text(point), options);
  std::fputs((text + "\n").c_str(), stdout);
  return point;
}

/// What tells the points of a sweep apart.
std::vector<std::string> varying_axes(const std::vector<SweepPoint>& points) {
  std::vector<std::string> names = axis_names();
  std::erase_if(names, [&](const std::string& name) {
    const auto value_of = [&](const SweepPoint& point) { return point.axes.value(name, Json()); };
    return std::ranges::all_of(points, [&](const SweepPoint& p) { return value_of(p) == value_of(points.front()); });
  });
  return names;
}

/// `algo ring, cp_size 8`
std::string values_of(const std::vector<std::string>& names, const SweepPoint& point) {
  std::vector<std::string> parts;
  for (const std::string& name : names) {
    const auto value = point.axes.find(name);
    if (value == point.axes.end()) continue;  // of the grid, where it is impossible
    parts.push_back(fmt::format("{} {}", name, value->is_string() ? value->get<std::string>() : value->dump()));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

/// None where it is not known that ranks share a node. What was given may be right: nodes may be larger.
std::string note_on_tensor_parallel(const std::vector<SweepPoint>& points, int ranks_per_node) {
  for (const SweepPoint& point : points) {
    const int tensor_parallel = point.axes.value("tensor_parallel", 1);
    if (!point.of || tensor_parallel < 2 || ranks_per_node < tensor_parallel) continue;
    return fmt::format(
        "note: the ranks of a tensor-parallel group are not counted: where {} of them share a node of {} GPUs, give "
        "--ranks-per-node {}",
        tensor_parallel, ranks_per_node, ranks_per_node / tensor_parallel);
  }
  return {};
}

ExitCode exit_code_of(const std::vector<PlanRecord>& points) {
  const auto is_skipped = [](const PlanRecord& point) { return point.status == Status::kSkipped; };
  if (std::ranges::all_of(points, is_skipped)) return ExitCode::kAllSkipped;
  ExitCode code = ExitCode::kOk;
  for (const PlanRecord& point : points) code = graver(code, code_of(point.status));
  return code;
}

/// A line of `run` may be given to plan, with the name of its results.
void check_plan_file(const std::string& path, bool overwrite) {
  check_writable(path, overwrite);
  const Json there = Json::parse(std::ifstream(path), nullptr, /*allow_exceptions=*/false);
  if (schema_entry(there, "name") == "cpbench.result") {
    refuse("--json {}: this is a result file, which a plan may not replace; name another file", path);
  }
}

class PlanCommand : public Subcommand {
 public:
  explicit PlanCommand(CLI::App& parent) {
    app = parent.add_subcommand(
        "plan", "Programs, their proof, memory, bytes, FLOPs and estimated times per rank; runs nothing");
    add_sweep_options(*app, options_.sweep);
    add_integer(*app, "--rank", options_.rank, 0,
                "rank whose program is shown; for several points none is shown without it or --all-steps");
    add_text(*app, "--backend", options_.backend, "NAME", "whose memory is planned: cpu or cuda; auto is cpu [cpu]");
    app->add_flag("--all-steps", options_.all_steps, "show long programs in full");
    add_estimate_options(*app, options_.estimate);
    add_text(*app, "-J,--json", options_.json, "FILE", "figures of all points and ranks; never overwritten silently");
    app->add_flag("--overwrite", options_.overwrite, "replace an existing file");
    flags_ = std::make_unique<AxisFlags>(*app);
    add_run_options_without_effect(*app);
  }

  ExitCode execute(const Job& job) override {
    const ResolveContext context{.world_size = 1,
                                 .cp_size_is_bounded = false,
                                 .ranks_per_node = options_.sweep.ranks_per_node,
                                 .seed = options_.sweep.seed};
    const std::optional<Machines> machines = machines_of(options_.estimate, options_.sweep.ranks_per_node);
    const bool writes = app->count("--json") > 0;
    if (writes) check_plan_file(options_.json, options_.overwrite);
    const auto [points, config] = sweep_of(options_.sweep, *flags_, context);
    PlanFile file{.tool = this_tool(),
                  .command = command_of(job, config),
                  .ranks_per_node = options_.sweep.ranks_per_node,
                  .backend = options_.memory_of()};
    for (const std::string& note : notes_on_points(flags_->values(), points)) warn(job, note);
    warn(job, note_on_tensor_parallel(points, options_.sweep.ranks_per_node));
    const std::vector<std::string> names = varying_axes(points);
    // One for each point, before the first of them: what is not known of a machine is no matter of one point.
    std::vector<std::optional<MachineModel>> machine_of_point(points.size());
    for (std::size_t index = 0; index < points.size() && machines; ++index) {
      if (points[index].of) machine_of_point[index] = machines->of(points[index].axes);
    }
    for (std::size_t index = 0; index < points.size(); ++index) {
      PlanRecord record = record_of(points[index], machine_of_point[index], points.size() == 1);
      record.id = id_of(index, points[index]);
      if (!record.reason.empty()) {
        fmt::print("{} {}: {}\n\n", name_of(record.status), values_of(names, points[index]), record.reason);
      }
      file.points.push_back(std::move(record));
    }
    if (points.size() > 1) {
      fmt::print("{}{}", assumptions_text(file.points, options_.estimate, options_.sweep.ranks_per_node),
                 estimates_table(file.points, options_.estimate.memory_bytes()));
    }
    for (const std::string& note : notes_on_unused_links(file.points, options_.estimate)) warn(job, note);
    const ExitCode code = exit_code_of(file.points);
    file.exit_code = static_cast<int>(code);
    if (writes) write_atomically(options_.json, text_of(json_of(file), 2) + "\n", options_.overwrite);
    return code;
  }

 private:
  /// What keeps one of several points from being planned is its record's reason.
  PlanRecord record_of(const SweepPoint& point, const std::optional<MachineModel>& machine, bool is_alone) const {
    // Between those of a sweep, programs would drive apart the figures that are to be compared.
    const bool shows_program = is_alone || app->count("--rank") > 0 || options_.all_steps;
    PlanRecord record{.status = Status::kSkipped, .reason = point.skipped_because};
    try {
      if (point.of) record = plan_point(*point.of, options_, machine, shows_program);
    } catch (const Error& error) {  // others may fit into memory, or have such a rank
      if (is_alone) throw;
      record.status = error.code() == ExitCode::kPlacement ? Status::kFailed : Status::kSkipped;
      record.reason = error.what();
    }
    record.axes = point.axes;
    return record;
  }

  PlanOptions options_;
  std::unique_ptr<AxisFlags> flags_;
};

}  // namespace

std::unique_ptr<Subcommand> make_plan_command(CLI::App& app) { return std::make_unique<PlanCommand>(app); }

}  // namespace cpbench
