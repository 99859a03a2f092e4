// The backend that needs no device: memory of the host, and an attention kernel on the rank's threads.
#pragma once

#include <memory>
#include <string>

#include "backend/backend.hpp"
#include "backend/kernel.hpp"

namespace cpbench {

class CpuBackend : public Backend {
 public:
  /// Throws a usage error for an unknown kernel. `threads` >= 1: the calling thread and threads - 1 of OpenMP's.
  CpuBackend(const std::string& kernel, int threads);

  /// Aligned to a huge page where there are that many bytes, to a cache line otherwise.
  std::unique_ptr<DeviceMemory> allocate(std::int64_t bytes) override;
  Computation prepare(const Op& op, const ProgramMemory& memory) override;

 private:
  std::unique_ptr<AttentionKernel> kernel_;
  int threads_;
};

}  // namespace cpbench
