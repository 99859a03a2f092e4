#include "backend/cuda/operation_memory.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "backend/operands.hpp"

namespace cpbench {
namespace {

constexpr std::int64_t kCounterBytes = sizeof(std::int32_t);

std::string contents_of(const PreparedWork& work) {
  return {reinterpret_cast<const char*>(work.bytes.data()), work.bytes.size()};
}
std::int64_t list_bytes(const std::string& contents) {
  return static_cast<std::int64_t>((contents.size() + 15) / 16 * 16) + kCounterBytes;
}

std::int64_t workspace_bytes_of(Stream stream, const ProgramMemory& memory) {
  std::int64_t most = 0;
  for (const Op& op : memory.program->ops) {
    const auto* backward = std::get_if<AttendBackward>(&op.action);
    if (backward == nullptr || op.stream != stream) continue;
    most = std::max(most, workspace_bytes(operands_of(*backward, memory)));
  }
  return most;
}

}  // namespace

DeviceWorkList::DeviceWorkList(const PreparedWork& work, std::shared_ptr<CudaMemory> memory)
    : memory_(std::move(memory)), work_(work.on_device(memory_->data())) {}

std::int32_t* DeviceWorkList::counter() const {
  return reinterpret_cast<std::int32_t*>(memory_->data() + memory_->bytes() - kCounterBytes);
}

DeviceWorkList OperationMemory::list(Stream stream, const PreparedWork& work) {
  const std::string contents = contents_of(work);
  std::shared_ptr<CudaMemory>& memory = of_[static_cast<std::size_t>(stream)].lists[contents];
  if (memory == nullptr) {
    memory = std::make_shared<CudaMemory>(list_bytes(contents));
    copy_to_device(memory->data(), work.bytes);
  }
  return {work, memory};
}

std::shared_ptr<CudaMemory> OperationMemory::workspace(Stream stream, std::int64_t bytes, const ProgramMemory& memory) {
  std::shared_ptr<CudaMemory>& workspace = of_[static_cast<std::size_t>(stream)].workspace;
  // Operations that were prepared before keep the one that they know.
  if (workspace == nullptr || workspace->bytes() < bytes) {
    workspace = std::make_shared<CudaMemory>(workspace_bytes_of(stream, memory));
  }
  return workspace;
}

std::int64_t OperationMemory::bytes_for(const CudaDevice& device, const ProgramMemory& memory) {
  const Implementation& kernels = choose_kernels(device, memory.problem->dtype);
  std::set<std::pair<Stream, std::string>> lists;
  for (const Op& op : memory.program->ops) {
    if (const auto* forward = std::get_if<Attend>(&op.action)) {
      lists.emplace(op.stream, contents_of(prepare_forward(kernels, operands_of(*forward, memory))));
    } else if (const auto* backward = std::get_if<AttendBackward>(&op.action)) {
      lists.emplace(op.stream, contents_of(prepare_backward(kernels, operands_of(*backward, memory))));
    }
  }
  std::int64_t total = 0;
  for (const auto& [stream, list] : lists) total += list_bytes(list);
  for (int stream = 0; stream < kStreams; ++stream) total += workspace_bytes_of(static_cast<Stream>(stream), memory);
  return total;
}

}  // namespace cpbench
