// What `plan` prints of a point.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "cli/commands/estimate_options.hpp"
#include "result/plan.hpp"
#include "schedule/schedule.hpp"
#include "transport/link_model.hpp"

namespace cpbench {

/// The case in two lines, and what is known of nodes.
std::string describe_case(const Case& c, int ranks_per_node);

/// Memory of the rank that needs most, and what all ranks send in one iteration.
std::string totals_text(const PlanRecord& point);
/// One row for each rank, or of many for the extremes, and the totals.
std::string figures_text(const PlanRecord& point);
/// The times that were estimated for these links, and which of those that the point uses take no time.
std::string estimate_text(const PlanRecord& point, const LinkModel& links);
/// What the estimates of a sweep have in common, above their table: the machine as it was given, and the case.
std::string assumptions_text(std::span<const PlanRecord> points, const EstimateOptions& given, int ranks_per_node);
/// One for each kind of link that --links names and that no message of the points with an estimate takes.
std::vector<std::string> notes_on_unused_links(std::span<const PlanRecord> points, const EstimateOptions& given);
/// The operations of a rank, `all` of them or the first and the last.
std::string steps_text(const Schedule& schedule, int rank, bool all);

}  // namespace cpbench
