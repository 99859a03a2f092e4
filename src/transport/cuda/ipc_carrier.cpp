#include <fmt/format.h>

#include <algorithm>
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

/// A device that is not visible here is taken to be reachable: since CUDA 10.1 that does not matter, and opening its
/// memory will tell.
std::string unreachable_peer(const Communicator& ranks, int device) {
  const std::vector<DeviceInfo> devices = find_platform("cuda")->devices();
  const std::string own = devices[static_cast<std::size_t>(device)].bus_id;
  std::string complaint;
  for (const auto& other : ranks.allgather(std::vector<double>(own.begin(), own.end()))) {
    std::string bus_id;
    for (const double c : other) bus_id += static_cast<char>(c);
    const std::optional<int> peer = visible_device(devices, bus_id);
    int can = 1;
    if (peer && *peer != device) check(cudaDeviceCanAccessPeer(&can, device, *peer), "cudaDeviceCanAccessPeer");
    if (can == 0) complaint = fmt::format("GPU {} cannot reach GPU {}", own, bus_id);
  }
  return complaint;
}

std::string obstacle(const Communicator& ranks, int device) {
  if (ranks.min_over_ranks(ranks.node().size()) < ranks.size()) return "the ranks are on several nodes";
  std::string found;
  for (const std::string& complaint : ranks.gather(unreachable_peer(ranks, device))) {
    if (found.empty()) found = complaint;
  }
  return ranks.broadcast(found);
}

std::unique_ptr<Transport> make(const Communicator& ranks, Backend& backend, const TransportOptions&) {
  return std::make_unique<IpcTransport>(ranks, dynamic_cast<CudaBackend&>(backend).cuda_queues());
}

const RegisterCarrier kRegistered({.name = "ipc",
                                   .platform = "cuda",
                                   .preference = 2,
                                   .obstacle = obstacle,
                                   .make = make,
                                   .is_queued = true,
                                   .describe = [] { return std::string("copy engines"); }});

}  // namespace
}  // namespace cpbench
