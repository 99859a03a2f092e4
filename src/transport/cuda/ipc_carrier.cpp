#include <algorithm>
#include <array>
#include <optional>

#include "backend/cuda/cuda_backend.hpp"
#include "backend/platform.hpp"
#include "transport/carrier.hpp"
#include "transport/cuda/ipc_transport.hpp"

namespace cpbench {
namespace {

/// The devices of this process's platform whose place on the bus is `bus_id`.
std::optional<int> visible_device(const std::vector<DeviceInfo>& devices, const std::string& bus_id) {
  const auto found = std::ranges::find(devices, bus_id, &DeviceInfo::bus_id);
  return found == devices.end() ? std::nullopt : std::optional(static_cast<int>(found - devices.begin()));
}

/// Whether this process's device reaches that of each rank of the node. One that is not visible here is taken to be
/// reachable: since CUDA 10.1 that does not matter, and opening its memory will tell.
std::vector<double> reach_within(const Communicator& node, int device) {
  const std::vector<DeviceInfo> devices = find_platform("cuda").devices();
  const std::string& own = devices[static_cast<std::size_t>(device)].bus_id;
  std::vector<double> reached;
  for (const auto& bus_id : node.allgather(std::vector<double>(own.begin(), own.end()))) {
    const std::optional<int> peer = visible_device(devices, std::string(bus_id.begin(), bus_id.end()));
    int can = 1;
    if (peer && *peer != device) check(cudaDeviceCanAccessPeer(&can, device, *peer), "cudaDeviceCanAccessPeer");
    reached.push_back(can);
  }
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
