// A strided view of a tensor [batch, rows, heads, dim]; dim is contiguous.
#pragma once

#include <cstddef>
#include <cstdint>

#include "problem/problem.hpp"
#include "schedule/program.hpp"

namespace cpbench {

struct TensorView {
  std::byte* data = nullptr;
  DType dtype = DType::kFp32;
  std::int64_t batch = 0, rows = 0, heads = 0, dim = 0;
  std::int64_t batch_stride = 0, row_stride = 0, head_stride = 0;  ///< in elements

  template <typename T>
  T* at(std::int64_t b, std::int64_t row, std::int64_t head) const {
    return reinterpret_cast<T*>(data) + index(b, row, head);
  }
  /// Where elements of `dtype` begin, for those that do not know it by type.
  void* address(std::int64_t b, std::int64_t row, std::int64_t head) const {
    return data + index(b, row, head) * bytes_of(dtype);
  }
  std::int64_t index(std::int64_t b, std::int64_t row, std::int64_t head) const {
    return b * batch_stride + row * row_stride + head * head_stride;
  }
  /// The same elements, rows and heads cut to a box.
  TensorView box(std::int64_t row_begin, std::int64_t row_count, std::int64_t head_begin,
                 std::int64_t head_count) const;
};

std::int64_t bytes_of(const TensorView& view);  ///< of its elements, without gaps

bool have_same_shape(const TensorView& a, const TensorView& b);
/// Throws where one is not the other's shape, so that no element-wise operation can be between them.
void check_same_shape(const TensorView& a, const TensorView& b);

/// The tensors of a buffer at `memory`: `first` (Q, K, out, lse, ...) and, for a pair, `second` (V), which follows it.
struct BufferView {
  TensorView first, second;
};
BufferView view_of(const Buffer& buffer, Layout layout, std::int64_t batch, std::byte* memory);

}  // namespace cpbench
