// The backend of an NVIDIA GPU.
#pragma once

#include <memory>
#include <string>

#include "backend/backend.hpp"
#include "backend/cuda/attention.hpp"
#include "backend/cuda/operation_memory.hpp"
#include "backend/cuda/queues.hpp"

namespace cpbench {

struct CudaOptions {
  int device = 0;      ///< as the runtime counts
  std::string kernel;  ///< for bf16 and fp16; empty: the best that the device has
  bool graphs = true;
  int reserved_multiprocessors = 0;  ///< that kernels which stay leave to communication
};

/// Of one device, which it makes the current one of the calling thread. Operations are queued: see DeviceQueues. dQ is
/// summed in no fixed order, so its bits vary from run to run.
class CudaBackend : public Backend {
 public:
  explicit CudaBackend(const CudaOptions& options);

  std::unique_ptr<DeviceMemory> allocate(std::int64_t bytes) override;
  Computation prepare(const Op& op, const ProgramMemory& memory) override;
  DeviceQueues* queues() override { return &queues_; }
  std::optional<std::int64_t> bytes_in_use() const override { return CudaMemory::bytes_in_use(); }
  int reserved_multiprocessors() const override { return reserved_multiprocessors_; }
  bool is_reproducible() const override { return false; }
  bool has_host_memory() const override { return false; }
  void write(std::byte* to, std::span<const std::byte> from) override;
  void read(std::span<std::byte> to, const std::byte* from) override;
  void fill(std::span<std::byte> memory, std::byte value) override;

  CudaQueues& cuda_queues() { return queues_; }

 private:
  class Preparation;

  int ordinal_;
  int reserved_multiprocessors_ = 0;
  CudaDevice device_{};
  CudaQueues queues_;
  OperationMemory shared_;
};

}  // namespace cpbench
