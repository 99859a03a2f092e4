// What executors of all ranks need before they run.
#pragma once

#include <span>
#include <string>

#include "run/executor.hpp"
#include "transport/communicator.hpp"

namespace cpbench {

/// Collective: makes these ready (Executor::make_ready), in their order. Where a rank cannot make a graph, all ranks go
/// without from now on, and so do these executors: returns why then, on all ranks, and nothing otherwise. `queues`: the
/// backend's; null where it has none.
std::string make_ready(const Communicator& ranks, DeviceQueues* queues, std::span<Executor* const> executors,
                       Pass pass);

}  // namespace cpbench
