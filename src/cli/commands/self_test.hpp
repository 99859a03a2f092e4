// `validate --self-test`: who checks the checker.
#pragma once

#include "cli/commands/settings.hpp"
#include "support/error.hpp"
#include "transport/communicator.hpp"

namespace cpbench {

/// Collective. For each fault of run/fault.hpp: picks a case in which it can be planted on this many ranks, runs that
/// unplanted, which must pass, and planted, which must fail. Prints a line each; kInvalid unless all did.
ExitCode run_self_test(const Communicator& world, const Settings& settings);

}  // namespace cpbench
