// Ranks of one machine on several nodes, CPBENCH_VGPU_RANKS_PER_NODE each: MPI says so to whoever asks, and memory of
// devices is shared within a node alone. (MPI's profiling interface.)
#include <mpi.h>

#include <cstdlib>

#include "runtime/place.hpp"

extern "C" int MPI_Comm_split_type(MPI_Comm communicator, int type, int key, MPI_Info info, MPI_Comm* part) {
  const char* const text = std::getenv("CPBENCH_VGPU_RANKS_PER_NODE");
  const int ranks_per_node = text == nullptr ? 0 : std::atoi(text);
  if (ranks_per_node == 0 || type != MPI_COMM_TYPE_SHARED) {
    return PMPI_Comm_split_type(communicator, type, key, info, part);
  }
  int rank = 0;
  PMPI_Comm_rank(MPI_COMM_WORLD, &rank);
  cpbench::vgpu::set_node(rank / ranks_per_node);
  return PMPI_Comm_split(communicator, rank / ranks_per_node, key, part);
}
