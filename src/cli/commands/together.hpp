// What one rank finds wrong ends the command on all of them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "transport/communicator.hpp"

namespace cpbench {

/// Collective: runs `action` on each of `ranks`, waits politely until all are through, and if some threw an Error
/// throws the gravest on all of them; of equals the lowest rank's. Without it a rank that throws leaves the others
/// waiting. A rank that throws inside `action` must leave no other waiting for it there. An error of a device or of MPI
/// may, and whatever else is no Error of the user's: it ends the job at once (give_up.hpp). So nothing that was made
/// before `action` is destroyed while other ranks may still be at work with it.
void together(const Communicator& ranks, const std::function<void()>& action);

/// Collective: throws a usage error on all ranks where one has another list than rank 0, with the first difference.
/// `what`: what the lists are, for the message.
void require_same(const Communicator& ranks, const std::string& what, const std::vector<std::string>& list);

}  // namespace cpbench
