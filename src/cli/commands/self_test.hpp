// `validate --self-test`: who checks the checker.
#pragma once

#include "cli/commands/settings.hpp"
#include "cli/config/cli11_names.hpp"
#include "support/error.hpp"
#include "transport/communicator.hpp"

namespace cpbench {

/// Collective. Runs every algorithm on a small case, unplanted, which must pass, and with each fault of run/fault.hpp
/// that has a place in it, which must fail. Prints a line each; kInvalid unless all did. Throws a usage error where
/// `command`, whose flags are parsed, was given one that the self-test would not heed: those of points and of checks.
ExitCode run_self_test(const CLI::App& command, const Communicator& world, const Settings& settings);

}  // namespace cpbench
