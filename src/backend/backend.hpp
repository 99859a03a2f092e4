// Where the arithmetic happens. The executor asks for compute operations and knows no device.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "backend/device_queues.hpp"
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

/// What a computation calls on its thread now and then, so that communication progresses.
using Poll = std::function<void()>;
/// A compute operation that is ready to be run, again and again.
using Computation = std::function<void(const Poll& poll)>;

class Backend {
 public:
  virtual ~Backend() = default;
  /// `bytes` >= 1 of zeroed memory.
  virtual std::unique_ptr<DeviceMemory> allocate(std::int64_t bytes) = 0;
  /// Makes a compute operation (anything but an Exchange) ready. All three must outlive what is returned. A call of
  /// that runs the operation to its end; on a backend with queues it queues the operation on its stream instead.
  virtual Computation prepare(const Op& op, const ProgramMemory& memory) = 0;
  /// Of a device that works by itself; null where operations run in the thread that asks for them.
  virtual DeviceQueues* queues() { return nullptr; }

  /// What this process holds of the device: buffers, and what operations and transports need beside them. Nothing where
  /// that is not known.
  virtual std::optional<std::int64_t> bytes_in_use() const { return std::nullopt; }

  /// What kernels that stay leave of a device to communication.
  virtual int reserved_multiprocessors() const { return 0; }

  /// Whether every run leaves the same bits.
  virtual bool is_reproducible() const { return true; }

  /// Whether the memory is the host's own. Where it is not, `write` and `read` copy to and from it, and `fill` makes
  /// all its bytes alike; nothing that touches it may be under way.
  virtual bool has_host_memory() const { return true; }
  virtual void write(std::byte* to, std::span<const std::byte> from);
  virtual void read(std::span<std::byte> to, const std::byte* from);
  virtual void fill(std::span<std::byte> memory, std::byte value);
};

}  // namespace cpbench
