// The links of a job, measured as `run` would use them.
#pragma once

#include "cli/commands/settings.hpp"
#include "links/link_report.hpp"
#include "run/placement.hpp"
#include "transport/communicator.hpp"

namespace cpbench {

/// Collective: by the backend and the transport of the settings, on all ranks. Throws Error(kPlacement) where memory
/// does not suffice. Of one rank the report has nothing.
LinkReport measured_links(const Communicator& world, const Settings& settings, const Placement& placement,
                          const LinkOptions& options);

}  // namespace cpbench
