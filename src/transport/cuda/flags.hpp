// Flags in device memory that streams set and wait for, also those of other processes.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "backend/cuda/memory.hpp"

namespace cpbench {

/// Down at first.
using Flag = std::uint32_t;

/// Flags of this process, as many as are asked for; they live as long as the pool.
class FlagPool {
 public:
  Flag* make();

 private:
  static constexpr std::int64_t kBlock = 4096;
  std::vector<std::unique_ptr<CudaMemory>> blocks_;
  std::int64_t used_ = kBlock;  ///< of the last block
};

/// Queued on a stream. What was queued before is visible to whoever has waited for the flag.
void raise(Flag* flag, cudaStream_t stream);
/// What is queued next begins when the flag is up; it is down again then.
void await(Flag* flag, cudaStream_t stream);

}  // namespace cpbench
