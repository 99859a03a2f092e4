// A program's buffers as the host sees them: how inputs get into a device's memory, and results out of it.
#pragma once

#include <vector>

#include "backend/backend.hpp"

namespace cpbench {

/// The buffers themselves where the backend's memory is the host's, copies of them else. Nothing that touches them may
/// be under way when they are fetched or stored.
class HostBuffers {
 public:
  /// `device` and `backend` must outlive it.
  HostBuffers(const ProgramMemory& device, Backend& backend);

  /// Memory for a buffer's new contents, which `store` brings to the device.
  BufferView view(BufferId id);
  void store(BufferId id);
  /// The buffers with what the device holds of them now; others are null.
  const ProgramMemory& fetch(const std::vector<BufferId>& ids);
  /// As far as they have been viewed or fetched.
  const ProgramMemory& host() const { return host_; }

 private:
  std::span<std::byte> copy_of(BufferId id);

  const ProgramMemory& device_;
  Backend& backend_;
  ProgramMemory host_;
  std::vector<std::vector<std::byte>> copies_;  ///< by BufferId; made when they are needed
};

}  // namespace cpbench
