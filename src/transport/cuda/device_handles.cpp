#include "transport/cuda/device_handles.hpp"

#include <stdexcept>

#include "backend/cuda/memory.hpp"

namespace cpbench {

RemoteAddress remote_address_of(const std::byte* address) {
  const CudaAllocation allocation = find_cuda_allocation(address);
  if (allocation.base == nullptr) throw std::logic_error("memory that is no allocation of a device is to be shared");
  RemoteAddress remote{{}, address - allocation.base, const_cast<std::byte*>(address)};
  check(cudaIpcGetMemHandle(&remote.allocation, allocation.base), "cudaIpcGetMemHandle");
  return remote;
}

std::byte* OpenedMemory::open(const RemoteAddress& remote) {
  void*& base = opened_[std::string(remote.allocation.reserved, sizeof remote.allocation.reserved)];
  if (base == nullptr) {
    check(cudaIpcOpenMemHandle(&base, remote.allocation, cudaIpcMemLazyEnablePeerAccess), "cudaIpcOpenMemHandle");
  }
  return static_cast<std::byte*>(base) + remote.offset;
}

void OpenedMemory::close() {
  for (const auto& [handle, base] : opened_) cudaIpcCloseMemHandle(base);
  opened_.clear();
}

}  // namespace cpbench
