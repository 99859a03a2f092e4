// A communicator: processes of MPI_COMM_WORLD.
#pragma once

#include <set>
#include <utility>
#include <vector>

#include "nccl.h"

namespace cpbench::vgpu {

/// Whether messages of this process were lost on a network that is gone: CPBENCH_VGPU_FAIL=network (runtime/status.hpp)
/// loses those of a group. They never end, and NCCL says so when it is asked.
bool network_is_gone();

}  // namespace cpbench::vgpu

struct ncclComm {  // NOLINT(readability-identifier-naming): NCCL's name
  int rank;
  std::vector<int> world_ranks;  ///< by rank
  int tag;                       ///< of its messages; no other communicator of these processes has it
  int splits = 0;                ///< so far, the same on all ranks
  bool mixes_graphs = true;      ///< NCCL_GRAPH_MIXING_SUPPORT, when it was made
  /// Ranks that have been sent to, and received from (false): connections are made by the first message.
  std::set<std::pair<int, bool>> connected = {};
};
