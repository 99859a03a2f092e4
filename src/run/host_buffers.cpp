#include "run/host_buffers.hpp"

namespace cpbench {

HostBuffers::HostBuffers(const ProgramMemory& device, Backend& backend)
    : device_(device), backend_(backend), host_(device), copies_(device.buffers.size()) {
  if (!backend.has_host_memory()) host_.buffers.assign(device.buffers.size(), nullptr);
}

std::span<std::byte> HostBuffers::copy_of(BufferId id) {
  const auto index = static_cast<std::size_t>(id);
  copies_[index].resize(static_cast<std::size_t>(device_.program->buffer(id).bytes(device_.problem->batch)));
  host_.buffers[index] = copies_[index].data();
  return copies_[index];
}

BufferView HostBuffers::view(BufferId id) {
  if (!backend_.has_host_memory()) copy_of(id);
  return host_.view(id);
}

void HostBuffers::store(BufferId id) {
  if (!backend_.has_host_memory()) backend_.write(device_.buffers[static_cast<std::size_t>(id)], copy_of(id));
}

const ProgramMemory& HostBuffers::fetch(const std::vector<BufferId>& ids) {
  if (backend_.has_host_memory()) return host_;
  for (const BufferId id : ids) backend_.read(copy_of(id), device_.buffers[static_cast<std::size_t>(id)]);
  return host_;
}

}  // namespace cpbench
