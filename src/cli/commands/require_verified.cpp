#include "cli/commands/require_verified.hpp"

#include <string>

#include "schedule/verify.hpp"
#include "support/error.hpp"

namespace cpbench {

void require_verified(const Schedule& schedule, const Communicator& ranks) {
  std::string faults;
  if (ranks.rank() == 0) {
    for (const std::string& fault : verify(schedule).faults) faults += "\n" + fault;
  }
  faults = ranks.broadcast(faults);
  if (faults.empty()) return;
  throw Error(ExitCode::kInvalid, "the schedule does not verify, and nothing is run:" + faults);
}

}  // namespace cpbench
