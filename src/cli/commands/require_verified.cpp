#include "cli/commands/require_verified.hpp"

#include <stdexcept>
#include <string>

#include "schedule/verify.hpp"

namespace cpbench {

void require_verified(const Schedule& schedule, const Communicator& ranks) {
  std::string faults;
  if (ranks.rank() == 0) {
    for (const std::string& fault : verify(schedule).faults) faults += fault + "\n";
  }
  faults = ranks.broadcast(faults);
  if (!faults.empty()) throw std::logic_error("the schedule does not verify; this is a bug of cpbench:\n" + faults);
}

}  // namespace cpbench
