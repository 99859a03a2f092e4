#include "cli/commands/settings.hpp"

#include <algorithm>

#include "backend/kernel.hpp"
#include "support/error.hpp"
#include "support/names.hpp"

namespace cpbench {
namespace {

/// The one that this build has, asked for by name or by `auto`.
std::string only_choice(const char* flag, const std::string& asked, const char* built) {
  if (asked != "auto" && asked != built) refuse("{} {} is not in this build: it has {}", flag, asked, built);
  return built;
}

std::string kernel_of(const std::string& asked) {
  if (asked == "auto") return kDefaultKernel;
  const std::vector<std::string> known = kernel_names();
  if (std::find(known.begin(), known.end(), asked) == known.end()) refuse_unknown("kernel", asked, known);
  return asked;
}

/// More threads would not end in any time, or cannot be made at all. The same verdict on all ranks.
int threads_of(int asked, const Placement& placement) {
  constexpr int kMostPerCpu = 4;
  if (asked == 0) return default_threads(placement);
  const std::int64_t most = std::int64_t{kMostPerCpu} * placement.smallest_node_cpus;
  if (asked > most) {
    refuse("--threads {} per rank is too many for a node with {} CPU{}: use at most {}", asked,
           placement.smallest_node_cpus, placement.smallest_node_cpus == 1 ? "" : "s", most);
  }
  return asked;
}

/// Links by the kind of edge, or by node where the user says which ranks share one.
LinkModel link_of(const RunOptions& run, const SweepOptions& sweep) {
  if (run.emulate_link.empty()) return {};
  LinkModel model = parse_link_model(run.emulate_link);
  model.ranks_per_node = sweep.ranks_per_node;
  return model;
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
          .kernel = kernel_of(run.kernel),
          .link = link_of(run, sweep),
          .threads = threads_of(run.threads, placement)};
}

}  // namespace cpbench
