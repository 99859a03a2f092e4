#include "cli/commands/table_axes.hpp"

#include <set>

#include "cli/axes/point.hpp"
#include "result/case_columns.hpp"

namespace cpbench {

std::vector<std::string> axes_with_columns(const std::vector<Json>& cases) {
  std::set<std::string> noted;
  for (const Json& axes : cases) {
    const Json of_case = noteworthy(axes);
    for (const auto& item : of_case.items()) noted.insert(item.key());
  }
  std::vector<std::string> names = extra_axes_of(cases);
  std::erase_if(names, [&](const std::string& name) { return !noted.contains(name); });
  return names;
}

Json axes_above_columns(const std::vector<Json>& cases) { return noteworthy(shared_axes_of(cases)); }

}  // namespace cpbench
