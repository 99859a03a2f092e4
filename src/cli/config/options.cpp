#include "cli/config/options.hpp"

#include <fmt/ranges.h>

#include <limits>
#include <memory>

#include "backend/kernel.hpp"
#include "cli/config/cli11.hpp"
#include "support/error.hpp"
#include "support/number.hpp"

namespace cpbench {
namespace {

// CLI11's own conversions accept more than a number and name no range, and its word on a flag that is given twice names
// no value, so texts are read here.
template <typename Read>
CLI::Option* add_value(CLI::App& command, const std::string& flags, const std::string& type, const std::string& help,
                       Read&& read) {
  const std::string flag = flags.substr(flags.rfind(',') + 1);  // the long one, or what there is
  const auto read_only_one = [flag, read](const CLI::results_t& texts) {
    if (texts.size() > 1) refuse("{} takes one value, not {}: {}", flag, texts.size(), fmt::join(texts, ", "));
    read(flag, texts.front());
    return true;
  };
  return command.add_option(flags, read_only_one, help)
      ->type_name(type)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

template <typename Integer>
void add_number(CLI::App& command, const std::string& flags, Integer& value, std::int64_t smallest,
                std::int64_t largest, const std::string& help) {
  add_value(command, flags, "N", help + " [" + std::to_string(value) + "]",
            [&value, smallest, largest](const std::string& name, const std::string& text) {
              value = static_cast<Integer>(parse_integer(name, text, smallest, largest));
            });
}

}  // namespace

CLI::Option* add_text(CLI::App& command, const std::string& flags, std::string& value, const std::string& type,
                      const std::string& help) {
  return add_value(command, flags, type, help, [&value](const std::string&, const std::string& text) { value = text; });
}

CLI::Option* add_texts(CLI::App& command, const std::string& name, std::vector<std::string>& values,
                       const std::string& type, const std::string& help) {
  const auto read = [&values](const CLI::results_t& texts) {
    values = texts;
    return true;
  };
  return command.add_option(name, read, help)->type_name(type)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void add_integer(CLI::App& command, const std::string& flags, int& value, int smallest, const std::string& help) {
  add_number(command, flags, value, smallest, std::numeric_limits<int>::max(), help);
}

void add_positive(CLI::App& command, const std::string& flag, std::optional<double>& value, const std::string& unit,
                  const std::string& help) {
  add_value(command, flag, unit, help,
            [&value](const std::string& name, const std::string& text) { value = parse_positive(name, text); });
}

void add_ranks_per_node(CLI::App& command, int& ranks_per_node) {
  add_integer(command, "--ranks-per-node", ranks_per_node, 0,
              "ranks that share a node; 0: as found, on unequal nodes what divides all");
}

void add_sweep_options(CLI::App& command, SweepOptions& options) {
  add_text(command, "--config", options.config, "FILE", "sweep from a config file; flags override it");
  add_positive(command, "--length-scale", options.length_scale, "FACTOR",
               "multiplies the config's lengths, instead of its own length_scale");
  add_ranks_per_node(command, options.ranks_per_node);
  add_number(command, "--seed", options.seed, 0, std::numeric_limits<std::int64_t>::max(),
             "of inputs and of documents drawn from a histogram");
}

void add_record_options(CLI::App& command, RunOptions& options) {
  add_text(command, "-J,--json", options.json, "FILE", "result file; never overwritten silently");
  command.add_flag("--overwrite", options.overwrite, "replace existing results, traces and dumps");
}

void add_job_options(CLI::App& command, RunOptions& options) {
  add_text(command, "--backend", options.backend, "NAME", "auto, cpu or cuda [auto]");
  add_text(command, "--transport", options.transport, "NAME", "auto, mpi, ipc, nccl or ipc+nccl [auto]");
  command.add_flag("--allow-shared-gpu", options.allow_shared_gpu, "let ranks of a node share a GPU, for tests");
  add_value(command, "--comm-ctas", "N",
            "GPU blocks for each stream of NCCL, and multiprocessors left to it; 0: its own choice [8]",
            [&options](const std::string& name, const std::string& text) {
              options.comm_ctas = static_cast<int>(parse_integer(name, text, 0, std::numeric_limits<int>::max()));
            });
  command.add_flag("--no-graphs", options.no_graphs, "queue a GPU's work operation by operation, not as a graph");
  add_text(
      command, "--emulate-link", options.emulate_link, "SPEED",
      "GB/s[:us], or inner=...,outer=...,all-to-all=...; with --ranks-per-node inner is within a node, outer between");
  add_positive(command, "--timeout", options.timeout_s, "SECONDS", "ends the run with exit code 124");
}

void add_execution_options(CLI::App& command, RunOptions& options) {
  add_record_options(command, options);
  command.add_flag("--resume", options.resume, "keep the finished points of --json's file, and run the others");
  add_text(command, "--dump", options.dump, "DIR", "inputs, outputs and gradients as .npy files");
  add_text(command, "--check", options.check, "CHECK",
           "full, sample[:ROWS], off, or auto: full where it takes seconds, else sample [auto]");
  add_text(command, "--reference", options.reference, "NAME",
           "what results are checked against: fp64 on the host, or device: cuBLAS on the rank's GPU [fp64]");
  add_text(command, "--input", options.input, "INPUT", "normal, outlier, large-logits, constant or nan [normal]");
  add_job_options(command, options);
  add_text(command, "--kernel", options.kernel, "NAME",
           fmt::format("attention kernel ({}; a GPU has its own) [auto]", fmt::join(kernel_names(), ", ")));
  add_text(command, "--isa", options.isa, "NAME", "instruction set of the CPU kernels [auto]")->envname("CPBENCH_ISA");
  add_integer(command, "--threads", options.threads, 0,
              "threads per rank; 0: the node's CPUs / its ranks, where that is least");
}

void add_run_options(CLI::App& command, RunOptions& options) {
  add_integer(command, "-n,--iterations", options.iterations, 1, "measured iterations");
  add_integer(command, "-w,--warmup", options.warmup, 0, "iterations before them");
  add_text(command, "--trace", options.trace, "FILE", "Chrome trace of every rank");
  add_execution_options(command, options);
}

void add_run_options_without_effect(CLI::App& command) {
  struct Run {
    CLI::App app;
    RunOptions options;
  };
  const auto run = std::make_shared<Run>();
  add_run_options(run->app, run->options);
  for (CLI::Option* of_run : run->app.get_options()) {
    if (command.get_option_no_throw(of_run->get_name()) != nullptr) continue;
    const std::string names = of_run->get_name(/*positional=*/false, /*all_options=*/true);
    const bool bare = of_run->get_items_expected_max() == 0;
    const auto read = [run, of_run](const CLI::results_t& given) {  // as strictly as there
      of_run->clear();
      for (const std::string& value : given) of_run->add_result(value);
      of_run->run_callback();
      return true;
    };
    CLI::Option* unread = bare ? command.add_flag(names) : command.add_option(names, read);
    unread->description(of_run->get_description())->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)->group("");
    if (!bare) unread->type_name(of_run->get_type_name());
  }
}

}  // namespace cpbench
