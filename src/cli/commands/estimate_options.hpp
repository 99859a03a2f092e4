// The machine that `plan` estimates times for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/config/cli11_names.hpp"
#include "estimate/machine_model.hpp"
#include "result/json.hpp"
#include "result/launch.hpp"

namespace cpbench {

/// Texts as they were given; empty: none.
struct EstimateOptions {
  std::string links, rate, memory_bandwidth;
  std::optional<double> memory;  ///< of a rank, in GiB

  std::optional<std::int64_t> memory_bytes() const;
};

/// `options` must outlive the parsing.
void add_estimate_options(CLI::App& command, EstimateOptions& options);

/// For each point of a sweep the machine that its times are estimated for.
class Machines {
 public:
  /// Throws a usage error for texts that are wrong, and where something is missing.
  Machines(const EstimateOptions& options, int ranks_per_node);

  /// `axes`: of a resolved point. Throws a usage error where the rates are those of a result file that has none for it.
  MachineModel of(const Json& axes) const;

 private:
  std::string rate_;
  std::vector<PointRecord> measured_;  ///< of the file that `rate_` names, if it does
  MachineModel model_;                 ///< with rates unless these were measured
};

/// None where no estimate is asked for.
std::optional<Machines> machines_of(const EstimateOptions& options, int ranks_per_node);

}  // namespace cpbench
