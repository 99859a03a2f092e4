// What every command is.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/commands/watchdog.hpp"
#include "cli/config/cli11_names.hpp"
#include "support/error.hpp"
#include "transport/communicator.hpp"

namespace cpbench {

/// The process that a command runs in.
struct Job {
  std::vector<std::string> argv;   ///< as it was typed
  const Communicator* world;       ///< null for commands that run nothing
  Watchdog* watchdog;              ///< null for those, too
  bool speaks;                     ///< whether this rank prints: rank 0 does
  std::vector<std::string> notes;  ///< on flags of other programs that were translated or ignored
};

/// Says it on stderr, on the rank that prints; nothing of an empty text.
void warn(const Job& job, const std::string& text);

class Subcommand {
 public:
  virtual ~Subcommand() = default;
  /// Throws Error for what the user can mend. Called on all ranks of the job.
  virtual ExitCode execute(const Job& job) = 0;
  CLI::App* app = nullptr;  ///< the command's part of the command line
};

std::unique_ptr<Subcommand> make_run_command(CLI::App& app);
std::unique_ptr<Subcommand> make_validate_command(CLI::App& app);
std::unique_ptr<Subcommand> make_plan_command(CLI::App& app);
std::unique_ptr<Subcommand> make_doctor_command(CLI::App& app);
std::unique_ptr<Subcommand> make_compare_command(CLI::App& app);
std::unique_ptr<Subcommand> make_report_command(CLI::App& app);

}  // namespace cpbench
