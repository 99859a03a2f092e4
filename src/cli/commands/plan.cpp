// `cpbench plan`: programs, their proof, memory, bytes and FLOPs; runs nothing.
#include <algorithm>
#include <cstdio>
#include <fstream>

#include "cli/commands/job_header.hpp"
#include "cli/commands/plan_point.hpp"
#include "cli/commands/plan_text.hpp"
#include "cli/commands/point_sweep.hpp"
#include "cli/commands/point_table.hpp"
#include "cli/commands/subcommand.hpp"
#include "cli/commands/sweep_of.hpp"
#include "cli/config/cli11.hpp"
#include "result/file.hpp"
#include "result/plan.hpp"
#include "result/progress.hpp"
#include "result/table.hpp"
#include "result/tool.hpp"
#include "support/error.hpp"

namespace cpbench {
namespace {

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
    app->add_flag("--details", details_, "of a sweep too what is printed of a single point, before their table");
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
                  .backend = options_.memory_of(),
                  .available_bytes = options_.estimate.memory_bytes()};
    for (const std::string& note : notes_on_points(flags_->values(), points)) warn(job, note);
    warn(job, note_on_tensor_parallel(points, options_.sweep.ranks_per_node));
    // One for each point, before the first of them: what is not known of a machine is no matter of one point.
    std::vector<std::optional<MachineModel>> machine_of_point(points.size());
    for (std::size_t index = 0; index < points.size() && machines; ++index) {
      if (points[index].of) machine_of_point[index] = machines->of(points[index].axes);
    }
    Progress progress(static_cast<int>(points.size()));
    for (std::size_t index = 0; index < points.size(); ++index) {
      const std::string id = id_of(index, points[index]);
      progress.begin(id);
      PlannedPoint planned = planned_point(points[index], machine_of_point[index], points.size() == 1);
      progress.finish();
      std::fputs(planned.text.c_str(), stdout);
      planned.record.id = id;
      file.points.push_back(std::move(planned.record));
    }
    if (points.size() > 1) {
      const std::vector<PointRecord> table = points_of(file);
      std::fputs((text_of_points(table) + Table::footer(table)).c_str(), stdout);
    }
    for (const std::string& note : notes_on_links(file.points, options_.estimate)) warn(job, note);
    const ExitCode code = exit_code_of(file.points);
    file.exit_code = static_cast<int>(code);
    if (writes) write_atomically(options_.json, text_of(json_of(file), 2) + "\n", options_.overwrite);
    return code;
  }

 private:
  /// What keeps one of several points from being planned is its record's reason.
  PlannedPoint planned_point(const SweepPoint& point, const std::optional<MachineModel>& machine, bool is_alone) const {
    // Between those of a sweep, programs would drive apart the figures that are to be compared.
    const bool shows_program = is_alone || app->count("--rank") > 0 || options_.all_steps;
    const Shown shown = shows_program ? Shown::kProgram : details_ ? Shown::kFigures : Shown::kNoMore;
    PlannedPoint planned{.record = {.status = Status::kSkipped, .reason = point.skipped_because}, .text = {}};
    try {
      if (point.of) planned = plan_point(*point.of, options_, machine, shown);
    } catch (const Error& error) {  // others may fit into memory, or have such a rank
      if (is_alone) throw;
      planned.record.status = error.code() == ExitCode::kPlacement ? Status::kFailed : Status::kSkipped;
      planned.record.reason = error.what();
    }
    planned.record.axes = point.axes;
    return planned;
  }

  PlanOptions options_;
  bool details_ = false;
  std::unique_ptr<AxisFlags> flags_;
};

}  // namespace

std::unique_ptr<Subcommand> make_plan_command(CLI::App& app) { return std::make_unique<PlanCommand>(app); }

}  // namespace cpbench
