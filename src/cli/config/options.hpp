// What a run needs to know besides its points.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/config/cli11_names.hpp"

namespace cpbench {

/// Which points: shared by every command that has points, `plan` included.
struct SweepOptions {
  std::string config;                  ///< empty: none
  std::optional<double> length_scale;  ///< overrides the config's own key
  int ranks_per_node = 0;              ///< 0: as found
  std::uint64_t seed = 1;              ///< of inputs and of documents drawn from a histogram
};

/// How to run them: `run` and `validate`. Texts are parsed by the room that gives them meaning.
struct RunOptions {
  int iterations = 20;
  int warmup = 3;
  std::string json;  ///< result file; empty: none
  bool overwrite = false;
  bool resume = false;  ///< keeps what `json` has of the sweep
  std::string trace;    ///< empty: none
  std::string dump;     ///< directory; empty: none
  std::string check;    ///< empty: full up to a size that takes seconds, else sample
  std::string reference = "fp64";
  std::string input = "normal";
  std::string backend = "auto";
  std::string transport = "auto";
  std::string kernel = "auto";
  bool allow_shared_gpu = false;
  bool no_graphs = false;
  std::optional<int> comm_ctas;     ///< 0: the communication library's own choice; none: the transport's default
  std::string emulate_link;         ///< empty: none
  std::string isa = "auto";         ///< also from CPBENCH_ISA
  int threads = 0;                  ///< per rank; 0: CPUs of the node's mask / local ranks
  std::optional<double> timeout_s;  ///< none: no limit
};

/// Adds a text to a command; its present value is the default, which `help` names.
CLI::Option* add_text(CLI::App& command, const std::string& flags, std::string& value, const std::string& type,
                      const std::string& help);
/// Adds what may be given several times, one text each time.
CLI::Option* add_texts(CLI::App& command, const std::string& name, std::vector<std::string>& values,
                       const std::string& type, const std::string& help);
/// Adds a whole number >= smallest to a command; its present value is the default. Read strictly (support/number.hpp).
void add_integer(CLI::App& command, const std::string& flags, int& value, int smallest, const std::string& help);

/// Adds a positive number, none without the flag.
void add_positive(CLI::App& command, const std::string& flag, std::optional<double>& value, const std::string& unit,
                  const std::string& help);

/// Adds the flags to a command; `options` must outlive its parsing. None takes two values.
void add_sweep_options(CLI::App& command, SweepOptions& options);
void add_ranks_per_node(CLI::App& command, int& ranks_per_node);  ///< of add_sweep_options
/// What is written of a run: `doctor` has it too; add_execution_options adds it.
void add_record_options(CLI::App& command, RunOptions& options);
/// Where ranks run and for how long, and how they send each other messages: likewise.
void add_job_options(CLI::App& command, RunOptions& options);
/// Those that `validate` has too; add_run_options adds them and what measuring needs.
void add_execution_options(CLI::App& command, RunOptions& options);
void add_run_options(CLI::App& command, RunOptions& options);
/// Adds those flags of `run` that the command lacks, so that a line of `run` can be given to it: hidden from its help,
/// and read for note_on_flags_without_effect (command_line.hpp) alone.
void add_run_options_without_effect(CLI::App& command);

}  // namespace cpbench
