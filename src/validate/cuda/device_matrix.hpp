// Arrays and matrices in the memory of the current device.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "backend/cuda/memory.hpp"

namespace cpbench::cuda {

/// Room for `capacity` elements. Copies wait for what is queued on the default stream.
template <typename T>
class DeviceArray {
 public:
  explicit DeviceArray(std::int64_t capacity) : memory_(capacity * static_cast<std::int64_t>(sizeof(T))) {}
  T* data() { return reinterpret_cast<T*>(memory_.data()); }
  void write(std::span<const T> values) {
    if (values.empty()) return;
    check(cudaMemcpy(data(), values.data(), values.size_bytes(), cudaMemcpyHostToDevice), "cudaMemcpy");
  }
  std::vector<T> read(std::size_t count) {
    std::vector<T> values(count);
    check(cudaMemcpy(values.data(), data(), count * sizeof(T), cudaMemcpyDeviceToHost), "cudaMemcpy");
    return values;
  }

 private:
  CudaMemory memory_;
};

/// fp32, row after row.
class DeviceMatrix {
 public:
  explicit DeviceMatrix(std::int64_t capacity) : values_(capacity) {}

  /// Undefined values.
  void resize(int rows, int columns);
  void fill(int rows, int columns, float value);
  /// `values`: [rows, columns].
  void write(std::span<const float> values, int columns);
  /// All values, multiplied by `scale`.
  std::vector<double> read(double scale = 1);

  float* data() { return values_.data(); }
  int rows() const { return rows_; }
  int columns() const { return columns_; }

 private:
  DeviceArray<float> values_;
  int rows_ = 0, columns_ = 0;
};

/// Columns [begin, end) of a block: those that a row of scores attends. May be empty.
struct ColumnRange {
  std::int32_t begin, end;
};

}  // namespace cpbench::cuda
