// `cpbench run`: measures and checks a point or a sweep.
#include <memory>

#include "backend/cpu/isa.hpp"
#include "cli/commands/reported_sweep.hpp"
#include "cli/commands/subcommand.hpp"
#include "cli/commands/table_axes.hpp"
#include "cli/config/cli11.hpp"
#include "result/table.hpp"

namespace cpbench {
namespace {

std::vector<Json> cases_of(const std::vector<SweepPoint>& points) {
  std::vector<Json> cases;
  for (const SweepPoint& point : points) cases.push_back(point.axes);
  return cases;
}

TableContext context_of(const Execution& execution, const std::vector<SweepPoint>& points, int ranks) {
  const Settings& settings = execution.settings;
  const std::string link = to_string(settings.link);
  const std::string kernels = settings.device.info ? settings.kernel : fmt::format("{}, {}", settings.kernel, isa());
  return {.backend = fmt::format("{} ({})", settings.device.platform->name(), kernels),
          .transport = settings.route.describe(ranks) + (link.empty() ? "" : " with links emulated at " + link),
          .threads = settings.threads,
          .axes = axes_above_columns(cases_of(points))};
}

Report table_report_of(const Header& header, const Execution& execution, const std::vector<SweepPoint>& points) {
  const auto table = std::make_shared<Table>(axes_with_columns(cases_of(points)));
  const int ranks = static_cast<int>(header.ranks.size());
  return {.heading = table->header(header, context_of(execution, points, ranks)),
          .row = [table](const PointRecord& record) { return table->row(record); },
          .footer = Table::footer};
}

class RunCommand : public Subcommand {
 public:
  explicit RunCommand(CLI::App& parent) {
    app = parent.add_subcommand("run", "Measure and check one case, a sweep from flags, or a config file");
    add_sweep_options(*app, sweep_);
    add_run_options(*app, run_);
    flags_ = std::make_unique<AxisFlags>(*app);
  }

  ExitCode execute(const Job& job) override {
    return run_and_report(job, run_, sweep_, *flags_, /*measured=*/true, table_report_of);
  }

 private:
  SweepOptions sweep_;
  RunOptions run_;
  std::unique_ptr<AxisFlags> flags_;
};

}  // namespace

std::unique_ptr<Subcommand> make_run_command(CLI::App& app) { return std::make_unique<RunCommand>(app); }

}  // namespace cpbench
