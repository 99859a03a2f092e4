// The figures of a point that a report can show: one table of names, units and where they are in a record.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "result/record.hpp"

namespace cpbench {

struct Figure {
  std::string_view name;  ///< that of the result file; of times `full`, `compute_only` and `comm_only` their medians
  std::string_view unit;
  /// None where it is not known or means nothing, and of a point that was not measured, or is wrong.
  std::optional<double> (*of)(const PointRecord& point);
};

std::span<const Figure> all_figures();
/// Throws a usage error that lists all where there is none of this name.
const Figure& find_figure(std::string_view name);

/// Throws a usage error that begins with `flag` where points have figures and none has this one, with those that there
/// are.
void require_figure(std::string_view flag, const Figure& figure, std::span<const PointRecord> points);

inline constexpr std::string_view kTimeFigure = "time_s", kCommunicationFigure = "comm_only_s",
                                  kRateFigure = "tflops_per_rank";

}  // namespace cpbench
