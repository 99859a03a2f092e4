// `cpbench validate`: correctness only; --self-test proves that the checker catches planted faults.
#include <cstdio>

#include "backend/cpu/isa.hpp"
#include "cli/commands/deadline.hpp"
#include "cli/commands/point_runner.hpp"
#include "cli/commands/self_test.hpp"
#include "cli/commands/subcommand.hpp"
#include "cli/commands/sweep_of.hpp"
#include "run/placement.hpp"

namespace cpbench {
namespace {

std::string report_text(const PointRecord& record) {
  std::string text = fmt::format("{}: {}", record.id, name_of(record.status));
  if (!record.reason.empty()) text += ": " + record.reason;
  text += "\n";
  if (!record.validation) return text;
  text += fmt::format("  {:<8}{:>12}{:>12}{:>14}{:>12}   against {}\n", "tensor", "max_abs", "rel_l2", "worst_block",
                      "tolerance", record.validation->reference);
  for (const TensorReport& t : record.validation->tensors) {
    text += fmt::format("  {:<8}{:>12.3g}{:>12.3g}{:>14.3g}{:>12.3g}   {}{}\n", t.tensor, t.max_abs, t.rel_l2,
                        t.worst_block_rel, t.tolerance, t.passed ? "ok" : "FAILED", t.note.empty() ? "" : " " + t.note);
  }
  return text;
}

class ValidateCommand : public Subcommand {
 public:
  explicit ValidateCommand(CLI::App& parent) {
    app = parent.add_subcommand("validate", "Check one case, a sweep from flags, or a config file; measure nothing");
    app->add_flag("--self-test", self_test_, "Plant faults in live runs and prove that the checker catches each");
    add_sweep_options(*app, sweep_);
    add_execution_options(*app, run_);
    flags_ = std::make_unique<AxisFlags>(*app);
  }

  ExitCode execute(const Job& job) override {
    const Communicator& world = *job.world;
    if (run_.isa != "auto") set_isa(run_.isa);
    const Placement placement = find_placement(world);
    const Settings settings = settings_of(run_, sweep_, placement);
    const Deadline deadline(run_.timeout_s, world);
    if (self_test_) return run_self_test(*app, world, settings);
    const ResolveContext context{
        .world_size = world.size(),
        .cp_size_is_bounded = true,
        .ranks_per_node = sweep_.ranks_per_node > 0 ? sweep_.ranks_per_node : placement.local_size,
        .seed = sweep_.seed};
    const std::vector<SweepPoint> points = sweep_of(sweep_, *flags_, context);
    PointRunner runner(world, settings, placement);
    bool ran = false;
    ExitCode code = ExitCode::kOk;
    for (std::size_t index = 0; index < points.size(); ++index) {
      const PointRecord record = runner.run(points[index], std::to_string(index), {}, false);
      if (record.status == Status::kFailed && points.size() == 1) throw Error(ExitCode::kPlacement, record.reason);
      if (job.speaks) std::fputs(report_text(record).c_str(), stdout);
      if (record.status == Status::kInvalid) code = graver(code, ExitCode::kInvalid);
      if (record.status == Status::kFailed) code = graver(code, ExitCode::kPlacement);
      ran = ran || record.status != Status::kSkipped;
    }
    return ran ? code : ExitCode::kAllSkipped;
  }

 private:
  SweepOptions sweep_;
  RunOptions run_;
  bool self_test_ = false;
  std::unique_ptr<AxisFlags> flags_;
};

}  // namespace

std::unique_ptr<Subcommand> make_validate_command(CLI::App& app) { return std::make_unique<ValidateCommand>(app); }

}  // namespace cpbench
