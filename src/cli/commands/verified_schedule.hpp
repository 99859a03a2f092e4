// The programs of a case, proven before anybody runs them.
#pragma once

#include "schedule/schedule.hpp"
#include "transport/communicator.hpp"

namespace cpbench {

/// Collective over the ranks that will run it; rank 0 verifies for all. Throws std::logic_error on every rank where the
/// programs are wrong.
Schedule verified_schedule(const Case& c, const Communicator& ranks);

}  // namespace cpbench
