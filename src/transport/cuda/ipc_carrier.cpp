#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "backend/cuda/cuda_backend.hpp"
#include "backend/cuda/memory.hpp"
#include "support/error.hpp"
#include "transport/backoff.hpp"
#include "transport/carrier.hpp"
#include "transport/cuda/device_handles.hpp"
#include "transport/cuda/flags.hpp"
#include "transport/cuda/ipc_transport.hpp"

namespace cpbench {
namespace {

/// What a rank has of another's memory.
enum class Reach : std::uint8_t { kNothing, kMemoryAlone, kFlagsToo };

using Deadline = std::chrono::steady_clock::time_point;
/// What is tried is done within microseconds, if at all: of all peers together.
Deadline soon() { return std::chrono::steady_clock::now() + std::chrono::seconds(1); }
bool is_past(Deadline deadline) { return std::chrono::steady_clock::now() > deadline; }

/// A stream for as long as it lives, where there is what it takes. One that does not end lives on.
class ProbeStream {
 public:
  ProbeStream() {
    if (cudaStreamCreateWithFlags(&handle_, cudaStreamNonBlocking) == cudaSuccess) return;
    cudaGetLastError();  // or the next call would return it
    handle_ = nullptr;
  }
  ~ProbeStream() {
    if (is_made() && !is_stuck_) cudaStreamDestroy(handle_);
  }
  ProbeStream(const ProbeStream&) = delete;
  ProbeStream& operator=(const ProbeStream&) = delete;
  bool is_made() const { return handle_ != nullptr; }
  /// Whether the operation can be queued, and ends in time.
  bool can_do(void (*operation)(Flag*, cudaStream_t), Flag* flag, Deadline deadline) {
    if (is_stuck_) return false;
    try {
      operation(flag, handle_);
      is_stuck_ = !ends(deadline);
      return !is_stuck_;
    } catch (const Error&) {
      cudaGetLastError();  // or the next call would return it
      return false;
    }
  }
  /// What was queued has not ended, and may yet touch the flag.
  bool is_stuck() const { return is_stuck_; }

 private:
  bool ends(Deadline deadline) const {
    for (Backoff backoff;; backoff.pause()) {
      const bool is_late = is_past(deadline);  // before it is asked: this process may have slept until then
      const cudaError_t status = cudaStreamQuery(handle_);
      if (status != cudaErrorNotReady) check(status, "cudaStreamQuery");
      if (status == cudaSuccess || is_late) return status == cudaSuccess;
    }
  }

  cudaStream_t handle_ = nullptr;
  bool is_stuck_ = false;
};

/// Flags that are down, one for each rank of the node; null where there is no memory left to offer.
std::unique_ptr<CudaMemory> make_flags(int count) {
  try {
    return make_zeroed_memory(count * std::int64_t{sizeof(Flag)});
  } catch (const Error& error) {
    if (error.code() != ExitCode::kPlacement) throw;
    return nullptr;
  }
}

/// Null where it cannot be opened.
Flag* open(const cudaIpcMemHandle_t& handle) {
  void* opened = nullptr;
  if (cudaIpcOpenMemHandle(&opened, handle, cudaIpcMemLazyEnablePeerAccess) == cudaSuccess) {
    return static_cast<Flag*>(opened);
  }
  cudaGetLastError();  // or the next call would return it
  return nullptr;
}

/// Of one that its peer has raised: it is on its way at most.
bool is_up_in_time(const Flag* flag, Deadline deadline) {
  for (Backoff backoff;; backoff.pause()) {
    const bool is_late = is_past(deadline);
    Flag value = 0;
    check(cudaMemcpy(&value, flag, sizeof value, cudaMemcpyDeviceToHost), "cudaMemcpy");
    if (value != 0 || is_late) return value != 0;
  }
}

/// What this process has of the memory of each rank of the node. It is tried: a peer's GPU may be one that this process
/// does not see, of which CUDA does not say beforehand whether it is reached; and that memory can be opened does not
/// say that streams may raise flags there, without which it is no use.
std::vector<Reach> reach_within(const Communicator& node, int device) {
  check(cudaSetDevice(device), "cudaSetDevice");
  const auto size = static_cast<std::size_t>(node.size()), rank = static_cast<std::size_t>(node.rank());
  ProbeStream stream;
  std::unique_ptr<CudaMemory> memory = stream.is_made() ? make_flags(node.size()) : nullptr;
  std::vector<cudaIpcMemHandle_t> handle;  // none where there is no memory
  if (memory) handle.push_back(remote_address_of(memory->data()).allocation);
  const auto handles = node.allgatherv(handle);
  std::vector<Flag*> opened(size);
  std::vector<std::uint8_t> raised(size);
  for (std::size_t peer = 0; peer < size; ++peer) {
    if (peer != rank && stream.is_made() && !handles[peer].empty()) opened[peer] = open(handles[peer].front());
  }
  const Deadline raising = soon();
  for (std::size_t peer = 0; peer < size; ++peer) {
    raised[peer] = opened[peer] != nullptr && stream.can_do(raise, opened[peer] + rank, raising) ? 1 : 0;
  }
  const auto all_raised = node.allgatherv(raised);
  std::vector<Reach> reached(size, Reach::kNothing);
  reached[rank] = Reach::kFlagsToo;
  const auto own_flag = [&](std::size_t peer) { return reinterpret_cast<Flag*>(memory->data()) + peer; };
  std::vector<bool> is_up(size);
  const Deadline arriving = soon();
  for (std::size_t peer = 0; peer < size; ++peer) {
    const bool both_raised = raised[peer] != 0 && all_raised[peer][rank] != 0;
    is_up[peer] = both_raised && is_up_in_time(own_flag(peer), arriving);
  }
  const Deadline awaiting = soon();
  for (std::size_t peer = 0; peer < size; ++peer) {
    if (opened[peer] == nullptr) continue;
    const bool awaits = is_up[peer] && stream.can_do(await, own_flag(peer), awaiting);
    reached[peer] = awaits ? Reach::kFlagsToo : Reach::kMemoryAlone;
  }
  for (Flag* const flags : opened) {
    // The stream may yet write there, and closing might wait for it: left open for as long as the process lives.
    if (flags != nullptr && !stream.is_stuck()) check(cudaIpcCloseMemHandle(flags), "cudaIpcCloseMemHandle");
  }
  // Nobody has it open any more, or it is never freed, nor is what this process's own stream may yet touch.
  if (node.max_over_ranks(stream.is_stuck() ? 1 : 0) != 0) static_cast<void>(memory.release());
  return reached;
}

std::vector<std::string> obstacles(const Communicator& ranks, int device) {
  std::vector<std::string> found(static_cast<std::size_t>(ranks.size()), "they are on different nodes");
  const Communicator node = ranks.node();
  const std::vector<int> rank_of = node.allgather(ranks.rank());
  const auto reach = node.allgatherv(reach_within(node, device));
  const auto own = static_cast<std::size_t>(node.rank());
  for (std::size_t peer = 0; peer < reach.size(); ++peer) {
    const Reach both = std::min(reach[own][peer], reach[peer][own]);
    found[static_cast<std::size_t>(rank_of[peer])] = both == Reach::kFlagsToo ? ""
                                                     : both == Reach::kMemoryAlone
                                                         ? "their streams cannot raise flags in each other's memory"
                                                         : "their GPUs cannot reach each other";
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
                                   .lanes = int{IpcTransport::kLanes},
                                   .describe = [] { return std::string("copies by the driver"); }});

}  // namespace
}  // namespace cpbench
