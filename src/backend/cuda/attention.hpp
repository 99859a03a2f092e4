// Attention on a GPU: what a backend calls. It brings device memory and streams; nothing here waits.
#pragma once

#include <cstddef>
#include <vector>

#include "backend/cuda/implementation.hpp"
#include "backend/kernel.hpp"

namespace cpbench {

/// A device that kernels are chosen for.
struct CudaDevice {
  int capability;  ///< 10 * major + minor
  int multiprocessors;
};

/// The kernels for a device, storage type and head sizes: the one place that chooses. Throws a usage error for a device
/// older than compute capability 8.0.
const Implementation& choose_kernels(const CudaDevice& device, DType dtype);

/// The work of an operation, made once: `bytes` goes to device memory, aligned to 16, where kernels read it.
struct PreparedWork {
  std::vector<std::byte> bytes;
  DeviceWork on_device(const std::byte* device_bytes) const;

  std::int32_t block_count, range_count, step_columns;
  std::int32_t row_begin, row_end, column_begin, column_end;
};
PreparedWork prepare_forward(const Implementation& kernels, const AttendArguments& arguments);
PreparedWork prepare_backward(const Implementation& kernels, const AttendBackwardArguments& arguments);

/// Queues Attend on the stream. `arguments.tiles` is not read: `work` was made from it. `counter`: see LaunchContext.
struct CudaAttendArguments {
  AttendArguments operands;
  DeviceWork work;
  std::int32_t* counter;
};
void attend(const CudaDevice& device, const CudaAttendArguments& arguments, cudaStream_t stream);

/// Queues AttendBackward on the stream. dQ is summed by atomic additions in no fixed order; dK and dV in a fixed one.
/// `workspace`: device memory of workspace_bytes, aligned to 16, where that is not 0.
struct CudaAttendBackwardArguments {
  AttendBackwardArguments operands;
  DeviceWork work;
  std::byte* workspace;
};
void attend_backward(const CudaDevice& device, const CudaAttendBackwardArguments& arguments, cudaStream_t stream);
/// fp32 gradients that are rounded to a shorter type at the end need room.
std::int64_t workspace_bytes(const AttendBackwardArguments& arguments);

}  // namespace cpbench
