// Which axes a table of points names, and where.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace cpbench {

/// The axes that differ between the cases, but for those that have a column always, and those that everywhere have the
/// default that other axes give them.
std::vector<std::string> axes_with_columns(const std::vector<nlohmann::ordered_json>& cases);

/// Those that do not, as far as a reader must know of them.
nlohmann::ordered_json axes_above_columns(const std::vector<nlohmann::ordered_json>& cases);

}  // namespace cpbench
