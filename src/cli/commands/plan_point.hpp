// One point of `cpbench plan`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli/commands/estimate_options.hpp"
#include "cli/config/options.hpp"
#include "result/plan.hpp"

namespace cpbench {

struct PlanOptions {
  SweepOptions sweep;
  EstimateOptions estimate;
  std::string backend = "cpu";
  int rank = 0;
  bool all_steps = false;
  std::string json;  ///< empty: none
  bool overwrite = false;

  std::string memory_of() const { return backend == "auto" ? "cpu" : backend; }
};

/// What is said of a point besides its record.
enum class Shown : std::uint8_t { kNoMore, kFigures, kProgram };

struct PlannedPoint {
  PlanRecord record;  ///< without what identifies the point
  std::string text;   ///< to print
};

/// Builds and proves the programs. `machine`: whose times are estimated, if any. kFigures: the figures of ranks, and
/// the totals with the other setting of --prune; kProgram: a rank's program as well. Throws Error(kPlacement) where the
/// programs take more memory than is free.
PlannedPoint plan_point(const Case& c, const PlanOptions& options, const std::optional<MachineModel>& machine,
                        Shown shown);

}  // namespace cpbench
