// Memory of this process as other processes of the node can reach it, and theirs as this one can.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "backend/cuda/runtime.hpp"

namespace cpbench {

/// Where some device memory of a process is, for others. Plain bytes, to be sent.
struct RemoteAddress {
  cudaIpcMemHandle_t allocation;
  std::int64_t offset;  ///< within it
  std::byte* address;   ///< in the process itself
};
/// Of an address within a CudaMemory.
RemoteAddress remote_address_of(const std::byte* address);

/// Opens what others gave, each allocation once, and closes all of it in the end. Whoever made an allocation must keep
/// it until then.
class OpenedMemory {
 public:
  OpenedMemory() = default;
  ~OpenedMemory() { close(); }
  OpenedMemory(const OpenedMemory&) = delete;
  OpenedMemory& operator=(const OpenedMemory&) = delete;

  std::byte* open(const RemoteAddress& remote);
  void close();

 private:
  std::map<std::string, void*> opened_;  ///< by handle
};

}  // namespace cpbench
