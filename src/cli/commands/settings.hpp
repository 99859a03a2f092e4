// How points are run, with every option parsed and every choice of `auto` made.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/config/options.hpp"
#include "run/device_binding.hpp"
#include "run/placement.hpp"
#include "transport/link_model.hpp"
#include "transport/route.hpp"
#include "validate/check.hpp"
#include "validate/input.hpp"

namespace cpbench {

struct Settings {
  int iterations, warmup;
  CheckMode check;
  MakeSingleDevice reference;
  InputKind input;
  std::uint64_t seed;
  DeviceBinding device;
  Route route;
  std::string kernel;
  bool graphs;
  std::optional<int> asked_ctas;  ///< of `--comm-ctas`
  LinkModel link;
  int threads;  ///< of each rank

  std::vector<std::string> notes;  ///< on flags that have no effect here, and on the environment

  /// GPU blocks for each stream that communicates, in a point on so many ranks; 0 where none runs on a multiprocessor,
  /// or how many is left to the library.
  int comm_ctas(int ranks) const;
  /// Multiprocessors that kernels which stay leave to the blocks of all streams that may communicate beside them.
  int reserved_multiprocessors(const Program& program, const Communicator& ranks) const;
  /// But for those, which are the program's.
  BackendOptions backend_options() const;
};

/// Collective. Throws a usage error for a value that is none, or that this build cannot run, and Error(kPlacement)
/// where ranks and devices do not fit.
Settings settings_of(const Communicator& world, const RunOptions& run, const SweepOptions& sweep,
                     const Placement& placement);

}  // namespace cpbench
