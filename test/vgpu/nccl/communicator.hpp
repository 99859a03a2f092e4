// A communicator: processes of MPI_COMM_WORLD.
#pragma once

#include <vector>

#include "nccl.h"

struct ncclComm {  // NOLINT(readability-identifier-naming): NCCL's name
  int rank;
  std::vector<int> world_ranks;  ///< by rank
  int tag;                       ///< of its messages; no other communicator of these processes has it
  int splits = 0;                ///< so far, the same on all ranks
};
