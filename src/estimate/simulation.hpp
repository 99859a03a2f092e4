// Runs the programs of all ranks in time, by discrete events, and computes nothing.
#pragma once

#include <vector>

#include "estimate/machine_model.hpp"
#include "schedule/schedule.hpp"

namespace cpbench {

/// From the start of a rank's part of an iteration, in seconds.
struct RankTime {
  double finished_s = 0;   ///< when its last operation is done
  double computing_s = 0;  ///< how long it has computed until then
};

/// By rank, for the operations of the case's pass. All ranks start at 0, and as in the executor
///  - an operation begins when those that it waits for and the one before it in its stream are done;
///  - a rank computes one operation at a time, of those that can begin the first of the program;
///  - an exchange sends all its messages when it begins and is done when all of them are. Messages leave by the rank's
///    egress of their kind of link, one after the other (link_model.hpp), whether or not the other side has begun; a
///    message is done when it has arrived and both sides have begun.
/// Time and memory are about those of reading the programs once. Throws std::logic_error that says who waits for whom
/// where the programs stand still.
std::vector<RankTime> simulate(const Schedule& schedule, const MachineModel& machine);

}  // namespace cpbench
