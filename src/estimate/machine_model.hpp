// What an estimate takes for granted of a machine.
#pragma once

#include <optional>

#include "transport/link_model.hpp"

namespace cpbench {

/// All ranks are alike.
struct MachineModel {
  /// Those of which nothing is said take no time.
  LinkModel links;
  /// FLOP/s of one rank while it attends, as FLOPs are counted in results (exact for the mask), in blocks of the size
  /// that the case has. What is estimated needs those of its passes.
  std::optional<double> forward_flops_per_second, backward_flops_per_second;
  /// Bytes/s at which a rank reads and writes what it adds, copies, rounds or merges; without it these take no time.
  std::optional<double> memory_bytes_per_second;
};

}  // namespace cpbench
