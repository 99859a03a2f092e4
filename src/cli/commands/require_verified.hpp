// Programs are proven before anybody runs them.
#pragma once

#include "schedule/schedule.hpp"
#include "transport/communicator.hpp"

namespace cpbench {

/// Collective over the ranks that will run the programs; rank 0 verifies for all. Throws Error(kInvalid) with the
/// faults on every rank where they are wrong.
void require_verified(const Schedule& schedule, const Communicator& ranks);

}  // namespace cpbench
