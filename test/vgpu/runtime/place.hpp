// Where a process's devices are, for the memory that processes share.
#pragma once

namespace cpbench::vgpu {

/// Processes of one machine may pretend to be on several nodes: see nccl/mpi_nodes.cpp. 0 where nobody says.
int node();
void set_node(int node);

/// Whether two devices of a node reach each other's memory: those of the same CPBENCH_VGPU_PEERS in a row do; all,
/// where it is not set.
bool are_peers(int device, int other);

}  // namespace cpbench::vgpu
