#include <algorithm>
#include <array>
#include <iterator>
#include <optional>

#include "backend/cuda/cuda_backend.hpp"
#include "backend/cuda/memory.hpp"
#include "support/error.hpp"
#include "transport/carrier.hpp"
#include "transport/cuda/device_handles.hpp"
#include "transport/cuda/ipc_transport.hpp"

namespace cpbench {
namespace {

/// A handle's bytes; none where there is no memory left to offer.
std::vector<double> handle_of_some_memory(std::optional<CudaMemory>& memory) {
  try {
    const RemoteAddress offered = remote_address_of(memory.emplace(1).data());
    return {std::begin(offered.allocation.reserved), std::end(offered.allocation.reserved)};
  } catch (const Error& error) {
    if (error.code() != ExitCode::kPlacement) throw;
    return {};
  }
}

bool can_open(const std::vector<double>& bytes) {
  if (bytes.empty()) return false;
  cudaIpcMemHandle_t handle;
  std::ranges::copy(bytes, handle.reserved);
  void* opened = nullptr;
  if (cudaIpcOpenMemHandle(&opened, handle, cudaIpcMemLazyEnablePeerAccess) != cudaSuccess) {
    cudaGetLastError();  // or the next call would return it
    return false;
  }
  check(cudaIpcCloseMemHandle(opened), "cudaIpcCloseMemHandle");
  return true;
}

/// Whether this process can open memory of each rank of the node. It is tried: a peer's GPU may be one that this
/// process does not see, of which CUDA does not say beforehand whether it is reached.
std::vector<double> reach_within(const Communicator& node, int device) {
  check(cudaSetDevice(device), "cudaSetDevice");
  std::optional<CudaMemory> own;
  std::vector<double> reached;
  for (const auto& handle : node.allgather(handle_of_some_memory(own))) {
    const bool is_own = static_cast<int>(reached.size()) == node.rank();
    reached.push_back(is_own || can_open(handle) ? 1 : 0);
  }
  node.barrier();  // nobody has it open any more
  return reached;
}

std::vector<std::string> obstacles(const Communicator& ranks, int device) {
  std::vector<std::string> found(static_cast<std::size_t>(ranks.size()), "they are on different nodes");
  const Communicator node = ranks.node();
  const auto rank_of = node.allgather(std::array{static_cast<double>(ranks.rank())});
  const auto reach = node.allgather(reach_within(node, device));
  const auto own = static_cast<std::size_t>(node.rank());
  for (std::size_t peer = 0; peer < reach.size(); ++peer) {
    const bool both = reach[own][peer] != 0 && reach[peer][own] != 0;
    found[static_cast<std::size_t>(rank_of[peer].front())] = both ? "" : "their GPUs cannot reach each other";
  }
  return found;
}

std::unique_ptr<Transport> make(const Communicator& ranks, Backend& backend, const TransportOptions&) {
  return std::make_unique<IpcTransport>(ranks, dynamic_cast<CudaBackend&>(backend).cuda_queues());
}

const RegisterCarrier kRegistered({.name = "ipc",
                                   .platform = "cuda",
                                   .preference = 2,
                                   .obstacles = obstacles,
                                   .make = make,
                                   .is_queued = true,
                                   .describe = [] { return std::string("copy engines"); }});

}  // namespace
}  // namespace cpbench
