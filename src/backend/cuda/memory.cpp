#include "backend/cuda/memory.hpp"

#include <map>
#include <new>

#include "support/error.hpp"

namespace cpbench {
namespace {

/// By address: bytes.
std::map<const std::byte*, std::int64_t>& allocations() {
  static std::map<const std::byte*, std::int64_t> all;
  return all;
}

}  // namespace

CudaMemory::CudaMemory(std::int64_t bytes) : bytes_(bytes) {
  if (bytes == 0) return;
  void* pointer = nullptr;
  const cudaError_t status = cudaMalloc(&pointer, static_cast<std::size_t>(bytes));
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    throw Error(ExitCode::kPlacement, fmt::format("cannot allocate {} bytes of device memory", bytes));
  }
  check(status, "cudaMalloc");
  data_ = static_cast<std::byte*>(pointer);
  allocations()[data_] = bytes;
}

CudaMemory::~CudaMemory() {
  if (data_ == nullptr) return;
  allocations().erase(data_);
  cudaFree(data_);
}

std::int64_t CudaMemory::bytes_in_use() {
  std::int64_t sum = 0;
  for (const auto& [address, bytes] : allocations()) sum += bytes;
  return sum;
}

void fill_on_device(std::span<std::byte> memory, std::byte value) {
  if (memory.empty()) return;
  check(cudaMemset(memory.data(), std::to_integer<int>(value), memory.size()), "cudaMemset");
  // The call returns before it is done, and streams that do not block would not wait for it.
  check(cudaStreamSynchronize(nullptr), "cudaStreamSynchronize");
}

std::unique_ptr<CudaMemory> make_zeroed_memory(std::int64_t bytes) {
  auto memory = std::make_unique<CudaMemory>(bytes);
  fill_on_device({memory->data(), static_cast<std::size_t>(bytes)}, std::byte{0});
  return memory;
}

void copy_to_device(std::byte* to, std::span<const std::byte> from) {
  if (from.empty()) return;
  check(cudaMemcpy(to, from.data(), from.size(), cudaMemcpyHostToDevice), "cudaMemcpy");
  // From pageable memory it may return when the bytes are staged; streams that do not block would not wait for them.
  check(cudaStreamSynchronize(nullptr), "cudaStreamSynchronize");
}

PinnedMemory::PinnedMemory(std::int64_t bytes) {
  if (bytes == 0) return;
  void* pointer = nullptr;
  const cudaError_t status = cudaMallocHost(&pointer, static_cast<std::size_t>(bytes));
  if (status == cudaErrorMemoryAllocation) throw std::bad_alloc();
  check(status, "cudaMallocHost");
  data_ = static_cast<std::byte*>(pointer);
}

PinnedMemory::~PinnedMemory() {
  if (data_ != nullptr) cudaFreeHost(data_);
}

CudaAllocation find_cuda_allocation(const std::byte* address) {
  auto after = allocations().upper_bound(address);
  if (after == allocations().begin()) return {};
  --after;
  if (address >= after->first + after->second) return {};
  return {const_cast<std::byte*>(after->first), after->second};
}

}  // namespace cpbench
