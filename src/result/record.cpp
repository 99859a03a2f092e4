#include "result/record.hpp"

#include <algorithm>
#include <array>

namespace cpbench {

std::string_view name_of(Status status) {
  constexpr std::array<std::string_view, kStatuses> kNames = {"ok",     "invalid", "skipped",
                                                              "failed", "timeout", "interrupted"};
  return kNames[static_cast<std::size_t>(status)];
}

bool are_planned(std::span<const PointRecord> points) {
  return std::ranges::any_of(points, [](const PointRecord& point) { return point.plan.has_value(); });
}

Summary summary_of(const std::vector<PointRecord>& points, int exit_code, double elapsed_s) {
  Summary summary;
  summary.points = static_cast<int>(points.size());
  for (const PointRecord& point : points) ++summary.by_status[static_cast<int>(point.status)];
  summary.exit_code = exit_code;
  summary.elapsed_s = elapsed_s;
  return summary;
}

}  // namespace cpbench
