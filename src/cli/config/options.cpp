#include "cli/config/options.hpp"

#include <limits>

#include "cli/axes/number.hpp"

namespace cpbench {
namespace {

constexpr std::int64_t kMostCount = std::numeric_limits<int>::max();

// CLI11's own conversions accept more than a number and name no range, so values are read here.
template <typename Integer>
void add_integer(CLI::App& command, const std::string& flags, Integer& value, std::int64_t smallest,
                 std::int64_t largest, const std::string& help) {
  const std::string flag = flags.substr(flags.find("--"));
  const auto read = [&value, flag, smallest, largest](const CLI::results_t& texts) {
    value = static_cast<Integer>(parse_integer(flag, texts.front(), smallest, largest));
    return true;
  };
  command.add_option(flags, read, help + " [" + std::to_string(value) + "]")->type_name("N");
}

void add_positive(CLI::App& command, const std::string& flag, std::optional<double>& value, const std::string& unit,
                  const std::string& help) {
  const auto read = [&value, flag](const CLI::results_t& texts) {
    value = parse_positive(flag, texts.front());
    return true;
  };
  command.add_option(flag, read, help)->type_name(unit);
}

}  // namespace

void add_sweep_options(CLI::App& command, SweepOptions& options) {
  command.add_option("--config", options.config, "sweep from a config file; flags override it")->type_name("FILE");
  add_positive(command, "--length-scale", options.length_scale, "FACTOR",
               "multiplies the config's lengths, instead of its own length_scale");
  add_integer(command, "--ranks-per-node", options.ranks_per_node, 0, kMostCount,
              "ranks that share a node; 0: as found");
  add_integer(command, "--seed", options.seed, 0, std::numeric_limits<std::int64_t>::max(),
              "of inputs and of documents drawn from a histogram");
}

void add_execution_options(CLI::App& command, RunOptions& options) {
  command.add_option("--check", options.check, "full, sample[:ROWS] or off [full where it takes seconds, else sample]")
      ->type_name("CHECK");
  command.add_option("--input", options.input, "normal, outlier, large-logits, constant or nan [normal]")
      ->type_name("INPUT");
  command.add_option("--backend", options.backend, "auto, cpu or cuda [auto]")->type_name("NAME");
  command.add_option("--transport", options.transport, "auto, mpi, nccl or ipc [auto]")->type_name("NAME");
  command.add_option("--kernel", options.kernel, "attention kernel of the backend [auto]")->type_name("NAME");
  command
      .add_option("--emulate-link", options.emulate_link,
                  "GB/s[:us], or inner=...,outer=... by edge, by node with --ranks-per-node")
      ->type_name("SPEED");
  command.add_option("--isa", options.isa, "instruction set of the CPU kernels [auto]")
      ->type_name("NAME")
      ->envname("CPBENCH_ISA");
  add_integer(command, "--threads", options.threads, 0, kMostCount, "threads per rank; 0: the node's CPUs / its ranks");
  add_positive(command, "--timeout", options.timeout_s, "SECONDS", "ends the run with exit code 124");
}

void add_run_options(CLI::App& command, RunOptions& options) {
  add_integer(command, "-n,--iterations", options.iterations, 1, kMostCount, "measured iterations");
  add_integer(command, "-w,--warmup", options.warmup, 0, kMostCount, "iterations before them");
  command.add_option("-J,--json", options.json, "result file; never overwritten silently")->type_name("FILE");
  command.add_flag("--overwrite", options.overwrite, "replace existing results, traces and dumps");
  command.add_option("--trace", options.trace, "Chrome trace of every rank")->type_name("FILE");
  command.add_option("--dump", options.dump, "inputs, outputs and gradients as .npy files")->type_name("DIR");
  add_execution_options(command, options);
}

}  // namespace cpbench
