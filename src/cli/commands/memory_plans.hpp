// What a point takes of a rank's memory, and what a user can do where that is too much.
#pragma once

#include <cstdint>
#include <functional>

#include "run/placement.hpp"
#include "schedule/case.hpp"

namespace cpbench {

/// Of the programs of all ranks, which each rank builds and verifies; `available` as the limit of planning_bytes.
MemoryPlan plan_of_programs(const Case& c, std::int64_t available);
/// Of a rank's buffers, which take `bytes`, and where they were pruned `unpruned_bytes()` otherwise; else it is empty.
MemoryPlan plan_of_buffers(const Case& c, std::int64_t bytes, std::function<std::int64_t()> unpruned_bytes);

}  // namespace cpbench
