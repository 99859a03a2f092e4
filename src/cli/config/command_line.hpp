// The command line: axes as flags, and one kind of error for whatever is wrong with it.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "cli/config/cli11_names.hpp"
#include "cli/config/options.hpp"
#include "cli/config/sweep.hpp"

namespace cpbench {

/// The flags of all axes on a command. Each takes a comma list, and may be repeated for more values.
class AxisFlags {
 public:
  explicit AxisFlags(CLI::App& command);

  /// What was given, after parsing. Throws a usage error that names the flag and the offending value.
  AxisValues values() const;

 private:
  std::array<CLI::Option*, kAxisCount> options_;
};

/// The flags of the program and of all its commands: `--seq-len`, `-n`, ...
std::vector<std::string> all_flags(const CLI::App& app);

/// Parses `arguments` (without the program's name) into `app` and its commands. Whatever is wrong is a usage error;
/// an unknown flag is refused with the commands that have it, or the nearest known one, among `also_known` too.
/// Returns the text that was asked for instead of a run, by --help or --version.
std::optional<std::string> parse_command_line(CLI::App& app, const std::vector<std::string>& arguments,
                                              const std::vector<std::string>& also_known = {});

/// After parsing: the flags on the line that its command only reads (add_run_options_without_effect), named in a note;
/// empty if there are none.
std::string note_on_flags_without_effect(const CLI::App& app);

}  // namespace cpbench
