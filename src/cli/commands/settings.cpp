#include "cli/commands/settings.hpp"

#include "backend/kernel.hpp"
#include "support/error.hpp"

namespace cpbench {
namespace {

/// The one that this build has, asked for by name or by `auto`.
std::string only_choice(const char* flag, const std::string& asked, const char* built) {
  if (asked != "auto" && asked != built) refuse("{} {} is not in this build: it has {}", flag, asked, built);
  return built;
}

}  // namespace

Settings settings_of(const RunOptions& run, const SweepOptions& sweep, const Placement& placement) {
  return {.iterations = run.iterations,
          .warmup = run.warmup,
          .check = run.check.empty() ? CheckMode{} : parse_check(run.check),
          .input = parse_input(run.input),
          .seed = sweep.seed,
          .backend = only_choice("--backend", run.backend, "cpu"),
          .transport = only_choice("--transport", run.transport, "mpi"),
          .kernel = run.kernel == "auto" ? kDefaultKernel : run.kernel,
          .link = run.emulate_link.empty() ? LinkModel{} : parse_link_model(run.emulate_link),
          .threads = run.threads > 0 ? run.threads : default_threads(placement)};
}

}  // namespace cpbench
