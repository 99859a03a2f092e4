// The machine that `plan` estimates times for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli/config/cli11_names.hpp"
#include "estimate/machine_model.hpp"

namespace cpbench {

/// Texts as they were given; empty: none.
struct EstimateOptions {
  std::string links, rate, memory_bandwidth;
  std::optional<double> memory;  ///< of a rank, in GiB

  std::optional<std::int64_t> memory_bytes() const;
};

/// `options` must outlive the parsing.
void add_estimate_options(CLI::App& command, EstimateOptions& options);

/// None where no estimate is asked for. Throws a usage error where half of one is.
std::optional<MachineModel> machine_model_of(const EstimateOptions& options, int ranks_per_node);

}  // namespace cpbench
