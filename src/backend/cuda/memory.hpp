// Memory of a device, and memory of the host that a device copies from and to by itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "backend/backend.hpp"
#include "backend/cuda/runtime.hpp"

namespace cpbench {

/// Not initialised. Throws Error(kPlacement) where there is not enough. No bytes: data() is null.
class CudaMemory : public DeviceMemory {
 public:
  explicit CudaMemory(std::int64_t bytes);
  ~CudaMemory() override;
  CudaMemory(const CudaMemory&) = delete;
  CudaMemory& operator=(const CudaMemory&) = delete;
  std::byte* data() override { return data_; }
  std::int64_t bytes() const { return bytes_; }
  static std::int64_t bytes_in_use();  ///< by all of them

 private:
  std::byte* data_ = nullptr;
  std::int64_t bytes_;
};

/// Sets all bytes. Is done when it returns, for every stream.
void fill_on_device(std::span<std::byte> memory, std::byte value);
/// Memory whose bytes are zero, for every stream.
std::unique_ptr<CudaMemory> make_zeroed_memory(std::int64_t bytes);

/// Is done when it returns, for every stream.
void copy_to_device(std::byte* to, std::span<const std::byte> from);

/// Throws std::bad_alloc where there is not enough: it is the host's memory, and taken in the midst of a run.
class PinnedMemory {
 public:
  explicit PinnedMemory(std::int64_t bytes);
  ~PinnedMemory();
  PinnedMemory(const PinnedMemory&) = delete;
  PinnedMemory& operator=(const PinnedMemory&) = delete;
  std::byte* data() const { return data_; }

 private:
  std::byte* data_ = nullptr;
};

/// Where an address of device memory is.
struct CudaAllocation {
  std::byte* base = nullptr;
  std::int64_t bytes = 0;
};
/// The CudaMemory that an address belongs to; none: base is null.
CudaAllocation find_cuda_allocation(const std::byte* address);

}  // namespace cpbench
