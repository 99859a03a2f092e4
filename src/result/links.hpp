// Measured links as a table, as JSON, and as `plan` takes them.
#pragma once

#include <string>

#include "links/link_report.hpp"
#include "result/json.hpp"

namespace cpbench {

/// Lines: hops, the all-to-all, and of the links by themselves the spread.
std::string links_table(const LinkReport& report);

/// `--ranks-per-node 8 --links inner=400:3,outer=50:5`, by the hops, to three digits. Empty where there is none, where
/// one has no bandwidth, and where bytes arrived wrong.
std::string plan_flags_of(const LinkReport& report);

/// `links` of docs/doctor.schema.json.
Json json_of(const LinkReport& report, const std::string& transport);

}  // namespace cpbench
