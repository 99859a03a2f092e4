// Attention on a GPU: what a backend calls. It brings device memory and streams; nothing here waits.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "backend/cuda/implementation.hpp"
#include "backend/kernel.hpp"

namespace cpbench {

/// The kernels for bf16 and fp16 that run on devices of a compute capability, 10 * major + minor, the best first; none
/// before 8.0.
std::vector<const Implementation*> half_kernels_of(int capability);
/// The one of that name, or the best where it is empty. Throws a usage error where the device cannot run it.
const Implementation& find_half_kernels(int capability, const std::string& name);

/// A device, and what runs on it.
struct CudaDevice {
  const Implementation* half_kernels;
  int multiprocessors;
};
/// The kernels for a storage type.
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
