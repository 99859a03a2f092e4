// What `plan` prints of a point.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/commands/estimate_options.hpp"
#include "result/plan.hpp"
#include "schedule/schedule.hpp"

namespace cpbench {

/// The case in two lines, and what is known of nodes.
std::string describe_case(const Case& c, int ranks_per_node);

/// Memory of the rank that needs most, and what all ranks send in one iteration.
std::string totals_text(const PlanRecord& point);
/// One row for each rank, or of many for the extremes, the totals, and whether the memory suffices that a rank has.
std::string figures_text(const PlanRecord& point, std::optional<std::int64_t> available_bytes);
/// The times that were estimated.
std::string estimate_text(const PlanRecord& point);
/// One for each kind of link that messages of the points with an estimate take and of which --links says nothing, and
/// for each that it names and none of them takes.
std::vector<std::string> notes_on_links(std::span<const PlanRecord> points, const EstimateOptions& given);
/// The operations of a rank, `all` of them or the first and the last.
std::string steps_text(const Schedule& schedule, int rank, bool all);

}  // namespace cpbench
