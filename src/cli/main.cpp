// The program: finds the command, starts MPI where it needs ranks, and turns errors into one message and one exit code.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <optional>

#include "cli/commands/crash.hpp"
#include "cli/commands/give_up.hpp"
#include "cli/commands/subcommand.hpp"
#include "cli/commands/together.hpp"
#include "cli/commands/watchdog.hpp"
#include "cli/config/cli11.hpp"
#include "cli/config/command_line.hpp"
#include "cli/foreign/translate.hpp"
#include "result/tool.hpp"
#include "run/placement.hpp"
#include "support/doing.hpp"
#include "transport/mpi_session.hpp"

namespace cpbench {
namespace {

/// The rank that a launcher gave this process, as far as that can be known without MPI.
int launched_rank() {
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"}) {
    if (const char* value = std::getenv(name)) return std::atoi(value);
  }
  return 0;
}

/// `help` and `help run` as they are asked for elsewhere.
std::vector<std::string> with_help_as_flag(std::vector<std::string> arguments) {
  if (arguments.empty() || arguments[0] != "help") return arguments;
  arguments.erase(arguments.begin());
  arguments.emplace_back("--help");
  return arguments;
}

/// `plan`, `compare`, `report` and requests for help run nothing: they must work on a login node, without a launcher.
bool needs_ranks(const std::vector<std::string>& arguments) {
  constexpr std::array<std::string_view, 3> kRunNothing = {"plan", "compare", "report"};
  if (arguments.empty() || arguments[0].starts_with("-") || std::ranges::count(kRunNothing, arguments[0]) > 0) {
    return false;
  }
  for (const std::string& argument : arguments) {
    if (argument == "--help" || argument == "-h") return false;
  }
  return true;
}

/// The environment can give flags, so that one rank may find wrong what others do not.
void on_all_ranks(const Job& job, const std::function<void()>& action) {
  if (job.world != nullptr) return together(*job.world, action);
  action();
}

ExitCode execute(Job& job, const std::vector<std::string>& arguments) {
  CLI::App app("Benchmark and validation suite for context-parallel attention", "cpbench");
  app.require_subcommand(1);
  app.set_version_flag("--version", "cpbench " + this_tool().version);
  std::vector<std::unique_ptr<Subcommand>> commands;
  commands.push_back(make_run_command(app));
  commands.push_back(make_validate_command(app));
  commands.push_back(make_plan_command(app));
  commands.push_back(make_doctor_command(app));
  commands.push_back(make_compare_command(app));
  commands.push_back(make_report_command(app));

  if (job.world != nullptr) require_same(*job.world, "command lines", arguments);
  if (arguments.empty())
    refuse("a command is missing: run, validate, plan, doctor, compare or report (--help says more)");
  std::optional<std::string> text;
  on_all_ranks(job, [&] {
    const Translation translation = translate_foreign(arguments, all_flags(app));
    job.notes = translation.notes;
    text = parse_command_line(app, translation.arguments, foreign_flag_names());
    const std::string note = note_on_flags_without_effect(app);
    if (!note.empty()) job.notes.push_back(note);
  });
  if (text) {
    if (job.speaks) std::fputs(text->c_str(), stdout);
    return ExitCode::kOk;
  }
  for (const std::string& note : job.notes) warn(job, note);
  if (job.world != nullptr) {
    const char* tasks = std::getenv("SLURM_NTASKS");
    require_common_world(job.world->size(), tasks == nullptr ? std::nullopt : std::optional<std::string>(tasks),
                         mpi_library_version());
  }
  for (const auto& command : commands) {
    if (command->app->parsed()) return command->execute(job);
  }
  return ExitCode::kUsage;
}

/// Results go to stdout: a full disk or a closed pipe must not pass for a run that went well.
ExitCode with_written_output(const Job& job, ExitCode code) {
  if (!job.speaks || (std::fflush(stdout) == 0 && std::ferror(stdout) == 0)) return code;
  fmt::print(stderr, "cpbench: standard output could not be written: what belongs there is lost\n");
  return graver(code, ExitCode::kUsage);
}

/// Commands throw all errors but those of devices on all ranks (cli/commands/together.hpp).
ExitCode execute_or_explain(Job& job, const std::vector<std::string>& arguments) {
  set_doing(fmt::format("running `cpbench {}`", fmt::join(arguments, " ")));
  try {
    return with_written_output(job, execute(job, arguments));
  } catch (const Error& error) {
    if (error.code() == ExitCode::kDevice) give_up(error);
    if (job.speaks) fmt::print(stderr, "cpbench: {}\n", error.what());
    return error.code();
  } catch (const std::exception& error) {
    give_up(error);
  }
}

/// Launchers combine differing exit codes as they please, so all ranks leave with the gravest.
ExitCode agree(const Communicator& world, ExitCode code) {
  ExitCode agreed = ExitCode::kOk;
  for (const ExitCode theirs : world.allgather(code)) agreed = graver(agreed, theirs);
  return agreed;
}

int main_on_ranks(int argc, char** argv, const std::vector<std::string>& arguments) {
  // Outside: what is thrown must not finalise MPI, which waits for other ranks.
  std::optional<Watchdog> watchdog;
  std::optional<MpiSession> session;
  try {
    watchdog.emplace(launched_rank());
    session.emplace(argc, argv);
    const Communicator world = Communicator::world();
    watchdog->set_rank(world.rank());
    report_crashes(world.rank());
    Job job{
        .argv = {argv, argv + argc}, .world = &world, .watchdog = &*watchdog, .speaks = world.rank() == 0, .notes = {}};
    const ExitCode code = agree(world, execute_or_explain(job, arguments));
    Watchdog::dismiss();  // launchers send signals to ranks that are not as quick to leave with such a code
    return static_cast<int>(code);
  } catch (const std::exception& error) {
    give_up(error);
  }
}

}  // namespace
}  // namespace cpbench

int main(int argc, char** argv) {
  const std::vector<std::string> arguments = cpbench::with_help_as_flag({argv + 1, argv + argc});
  if (cpbench::needs_ranks(arguments)) return cpbench::main_on_ranks(argc, argv, arguments);
  if (cpbench::launched_rank() != 0) return 0;  // started by a launcher: one process does it all
  cpbench::Job job{.argv = {argv, argv + argc}, .world = nullptr, .watchdog = nullptr, .speaks = true, .notes = {}};
  return static_cast<int>(cpbench::execute_or_explain(job, arguments));
}
