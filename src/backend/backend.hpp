// Where the arithmetic happens. The executor asks for compute operations one at a time and knows no device.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "backend/tensor_view.hpp"

namespace cpbench {

/// Memory of a device, freed with the object.
class DeviceMemory {
 public:
  virtual ~DeviceMemory() = default;
  virtual std::byte* data() = 0;
};

/// The memory of a program's buffers on a rank, and what a backend needs to find tensors in it.
struct ProgramMemory {
  const Problem* problem;
  const Program* program;
  std::vector<std::byte*> buffers;  ///< by BufferId

  BufferView view(BufferId id) const {
    return view_of(program->buffer(id), problem->layout, program->buffer(id).has_batch() ? problem->batch : 1,
                   buffers[static_cast<std::size_t>(id)]);
  }
};

class Backend {
 public:
  virtual ~Backend() = default;
  /// `bytes` >= 1 of zeroed memory.
  virtual std::unique_ptr<DeviceMemory> allocate(std::int64_t bytes) = 0;
  /// Runs a compute operation (anything but an Exchange) to its end. `poll` is called now and then on this thread.
  virtual void run(const Op& op, const ProgramMemory& memory, const std::function<void()>& poll) = 0;
  /// The device's own name for itself.
  virtual std::string device_name() const = 0;
};

}  // namespace cpbench
