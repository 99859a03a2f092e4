// One point of `cpbench plan`.
#pragma once

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

/// Builds and proves the programs, and prints what there is to say of them. Returns it without what identifies the
/// point. `machine`: whose times are estimated, if any. Throws Error(kPlacement) where the programs take more memory
/// than is free.
PlanRecord plan_point(const Case& c, const PlanOptions& options, const std::optional<MachineModel>& machine,
                      bool shows_program);

}  // namespace cpbench
