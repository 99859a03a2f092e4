// A pair buffer (K and V) with numbered elements, to see what a message moved.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "backend/tensor_view.hpp"

namespace cpbench {

/// A K/V block in fp32 whose element i is `first + i`, in the order of memory.
struct TensorBlock {
  TensorBlock(Layout layout, std::int64_t batch, std::int64_t rows, int heads, int dim, int dim_v, float first)
      : buffer{Role::kKv, DType::kFp32, heads, dim, dim_v, rows},
        data(static_cast<std::size_t>(batch * rows * heads * (dim + dim_v))),
        view(view_of(buffer, layout, batch, reinterpret_cast<std::byte*>(data.data()))) {
    for (float& element : data) element = first++;
  }
  TensorBlock(const TensorBlock&) = delete;
  TensorBlock& operator=(const TensorBlock&) = delete;

  std::vector<TensorView> whole() const { return {view.first, view.second}; }
  std::vector<TensorView> box(std::int64_t row, std::int64_t rows, std::int64_t head, std::int64_t heads) const {
    return {view.first.box(row, rows, head, heads), view.second.box(row, rows, head, heads)};
  }

  Buffer buffer;
  std::vector<float> data;
  BufferView view;
};

/// The elements of boxes in logical order: box, batch, row, head, dim.
inline std::vector<float> elements_of(const std::vector<TensorView>& boxes) {
  std::vector<float> elements;
  for (const TensorView& box : boxes) {
    for (std::int64_t b = 0; b < box.batch; ++b) {
      for (std::int64_t row = 0; row < box.rows; ++row) {
        for (std::int64_t head = 0; head < box.heads; ++head) {
          const float* begin = box.at<float>(b, row, head);
          elements.insert(elements.end(), begin, begin + box.dim);
        }
      }
    }
  }
  return elements;
}

}  // namespace cpbench
