// An array in the virtual GPU's memory.
#pragma once

#include <cstddef>
#include <vector>

#include "vgpu/runtime.hpp"

namespace cpbench::vgpu {

template <typename T>
class DeviceArray {
 public:
  explicit DeviceArray(std::size_t size) : size_(size) { cudaMalloc(&pointer_, size * sizeof(T)); }
  explicit DeviceArray(const std::vector<T>& values) : DeviceArray(values.size()) {
    cudaMemcpy(pointer_, values.data(), size_ * sizeof(T), cudaMemcpyHostToDevice);
    cudaStreamSynchronize(nullptr);  // of pageable memory: the copy may be under way still
  }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;
  ~DeviceArray() { cudaFree(pointer_); }

  T* data() const { return static_cast<T*>(pointer_); }
  std::size_t size() const { return size_; }
  std::vector<T> values() const {
    std::vector<T> copied(size_);
    cudaMemcpy(copied.data(), pointer_, size_ * sizeof(T), cudaMemcpyDeviceToHost);
    return copied;
  }

 private:
  void* pointer_ = nullptr;
  std::size_t size_;
};

}  // namespace cpbench::vgpu
