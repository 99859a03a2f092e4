// What a result says of the job, gathered from its ranks.
#pragma once

#include <string>

#include "cli/commands/subcommand.hpp"
#include "result/record.hpp"
#include "run/device_binding.hpp"
#include "run/placement.hpp"

namespace cpbench {

/// As it begins now. `config`: the path that was given, or empty.
Command command_of(const Job& job, const std::string& config);

/// Collective; complete on rank 0. `config`: the path that was given, or empty.
Header header_of(const Job& job, const Placement& placement, const DeviceBinding& device, const std::string& config);

}  // namespace cpbench
