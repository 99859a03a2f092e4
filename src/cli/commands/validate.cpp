// `cpbench validate`: correctness only; --self-test proves that the checker catches planted faults.
#include <algorithm>

#include "cli/axes/point.hpp"
#include "cli/commands/reported_sweep.hpp"
#include "cli/commands/self_test.hpp"
#include "cli/commands/subcommand.hpp"
#include "cli/commands/watchdog.hpp"
#include "cli/config/cli11.hpp"
#include "result/case_columns.hpp"
#include "result/table.hpp"
#include "support/error.hpp"

namespace cpbench {
namespace {

/// What tells a point from the others, besides its id: of the axes that differ, those that a reader must know.
std::string text_of_case(const PointRecord& record, const std::vector<std::string>& differing) {
  const Json noted = noteworthy(record.axes);
  Json told;
  for (const auto& item : noted.items()) {
    if (std::ranges::count(differing, item.key()) > 0) told[item.key()] = item.value();
  }
  return told.empty() ? "" : ", " + text_of_axes(told);
}

std::string report_text(const PointRecord& record, const std::vector<std::string>& differing) {
  std::string text = record.id + text_of_case(record, differing);
  text += fmt::format(": {}", name_of(record.status));
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

Report report_of(const Header&, const Execution&, const std::vector<SweepPoint>& points) {
  std::vector<Json> cases;
  for (const SweepPoint& point : points) cases.push_back(point.axes);
  std::vector<std::string> differing = varying_names(occurring_axes(cases));
  std::erase_if(differing, [](const std::string& axis) { return axis == "algo" || axis == "cp_size"; });  // in the id
  return {.heading = "",
          .row = [differing](const PointRecord& record) { return report_text(record, differing); },
          .footer = Table::footer};
}

class ValidateCommand : public Subcommand {
 public:
  explicit ValidateCommand(CLI::App& parent) {
    app = parent.add_subcommand("validate", "Check one case, a sweep from flags, or a config file; measure nothing");
    app->add_flag("--self-test", self_test_, "plant faults in live runs and prove that the checker catches each");
    add_sweep_options(*app, sweep_);
    add_execution_options(*app, run_);
    flags_ = std::make_unique<AxisFlags>(*app);
    add_run_options_without_effect(*app);
  }

  ExitCode execute(const Job& job) override {
    if (run_.check == "off") refuse("--check off: validate does nothing but check; run measures without checks");
    if (!self_test_) return run_and_report(job, run_, sweep_, *flags_, /*measured=*/false, report_of);
    const Execution execution = execution_of(*job.world, run_, sweep_);
    const Watch watch(*job.watchdog, run_.timeout_s);
    return run_self_test(*app, *job.world, execution.settings);
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
