#include "cli/commands/verified_schedule.hpp"

#include <stdexcept>
#include <string>

#include "schedule/verify.hpp"

namespace cpbench {

Schedule verified_schedule(const Case& c, const Communicator& ranks) {
  Schedule schedule = build_schedule(c);
  std::string faults;
  if (ranks.rank() == 0) {
    for (const std::string& fault : verify(schedule).faults) faults += fault + "\n";
  }
  faults = ranks.broadcast(faults);
  if (!faults.empty()) throw std::logic_error("the schedule does not verify; this is a bug of cpbench:\n" + faults);
  return schedule;
}

}  // namespace cpbench
