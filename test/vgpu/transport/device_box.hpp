// Rows of eight floats on the device, as a message takes them.
#pragma once

#include <numeric>
#include <span>
#include <vector>

#include "backend/cuda/memory.hpp"
#include "backend/tensor_view.hpp"

namespace cpbench {

class DeviceBox {
 public:
  explicit DeviceBox(int rows = 1) : rows_(rows), memory_(rows * kRowBytes) { fill(0); }

  void fill(float value) { write(std::vector<float>(size(), value)); }
  /// Each element one more than the one before.
  void count_from(float value) {
    std::vector<float> values(size());
    std::iota(values.begin(), values.end(), value);
    write(values);
  }
  std::vector<float> values() {
    std::vector<float> values(size());
    check(cudaMemcpy(values.data(), memory_.data(), size() * sizeof(float), cudaMemcpyDeviceToHost), "cudaMemcpy");
    return values;
  }
  TensorView view() { return view_of_heads(1); }
  TensorView view_of_heads(int heads) {
    const std::int64_t dim = kDim / heads;
    return {memory_.data(), DType::kFp32, 1, rows_, heads, dim, rows_ * kDim, kDim, dim};
  }

  static constexpr std::int64_t kDim = 8, kRowBytes = kDim * 4;

 private:
  std::size_t size() const { return static_cast<std::size_t>(rows_ * kDim); }
  void write(const std::vector<float>& values) { copy_to_device(memory_.data(), std::as_bytes(std::span(values))); }

  int rows_;
  CudaMemory memory_;
};

}  // namespace cpbench
