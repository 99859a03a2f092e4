// What a result says of the job, gathered from its ranks.
#pragma once

#include <optional>

#include "cli/commands/subcommand.hpp"
#include "cli/commands/sweep_of.hpp"
#include "result/record.hpp"
#include "run/device_binding.hpp"
#include "run/placement.hpp"

namespace cpbench {

/// As it begins now.
Command command_of(const Job& job, const std::optional<ConfigIdentity>& config);

/// Collective; complete on rank 0.
Header header_of(const Job& job, const Placement& placement, const DeviceBinding& device,
                 const std::optional<ConfigIdentity>& config);

}  // namespace cpbench
