// How points are run, with every option parsed and every choice of `auto` made.
#pragma once

#include <string>

#include "cli/config/options.hpp"
#include "run/placement.hpp"
#include "transport/link_model.hpp"
#include "validate/check.hpp"
#include "validate/input.hpp"

namespace cpbench {

struct Settings {
  int iterations, warmup;
  CheckMode check;
  InputKind input;
  std::uint64_t seed;
  std::string backend, transport;  ///< `cpu`, `mpi`
  std::string kernel;
  LinkModel link;
  int threads;
};

/// Throws a usage error for a value that is none, or that this build cannot run.
Settings settings_of(const RunOptions& run, const SweepOptions& sweep, const Placement& placement);

}  // namespace cpbench
