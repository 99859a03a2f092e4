// A command line with one command that has every axis and option, as `run` does.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/config/cli11.hpp"
#include "cli/config/command_line.hpp"
#include "cli/foreign/translate.hpp"

namespace cpbench {

struct TestCommandLine {
  CLI::App app{"test", "cpbench"};
  CLI::App* run = app.add_subcommand("run", "measure");
  CLI::App* plan = app.add_subcommand("plan", "run nothing");
  CLI::App* doctor = app.add_subcommand("doctor", "look at the machine");
  SweepOptions sweep;
  RunOptions options;
  AxisFlags axes{*run};

  TestCommandLine() {
    app.require_subcommand(1);
    app.set_version_flag("--version", "cpbench 1.2.3");
    add_sweep_options(*run, sweep);
    add_run_options(*run, options);
    add_run_options_without_effect(*plan);
  }

  std::optional<std::string> parse(const std::vector<std::string>& arguments) {
    return parse_command_line(app, arguments, foreign_flag_names());
  }
};

/// The axes of `cpbench run FLAGS...`.
inline AxisValues parse_axes(std::vector<std::string> flags) {
  TestCommandLine line;
  flags.insert(flags.begin(), "run");
  line.parse(flags);
  return line.axes.values();
}

}  // namespace cpbench
