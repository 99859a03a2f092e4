#include "backend/tensor_view.hpp"

#include <stdexcept>

namespace cpbench {
namespace {

struct Strides {
  std::int64_t batch, row, head;
};

Strides strides_of(Layout layout, std::int64_t batch, std::int64_t rows, std::int64_t heads, std::int64_t dim) {
  switch (layout) {
    case Layout::kBshd:
    case Layout::kThd:
      return {rows * heads * dim, heads * dim, dim};
    case Layout::kSbhd:
      return {heads * dim, batch * heads * dim, dim};
    case Layout::kBhsd:
      return {rows * heads * dim, dim, rows * dim};
  }
  throw std::logic_error("strides_of: unknown layout");
}

/// Row statistics and the running state are always [batch, heads, rows], whatever the problem's layout.
bool is_head_major(Role role) { return role == Role::kLse || role == Role::kDelta || role == Role::kState; }

TensorView tensor(const Buffer& buffer, Layout layout, std::int64_t batch, std::int64_t dim, std::byte* data) {
  const Strides strides =
      strides_of(is_head_major(buffer.role) ? Layout::kBhsd : layout, batch, buffer.rows, buffer.heads, dim);
  return {data, buffer.dtype, batch, buffer.rows, buffer.heads, dim, strides.batch, strides.row, strides.head};
}

}  // namespace

TensorView TensorView::box(std::int64_t row_begin, std::int64_t row_count, std::int64_t head_begin,
                           std::int64_t head_count) const {
  TensorView cut = *this;
  cut.data = data + (row_begin * row_stride + head_begin * head_stride) * bytes_of(dtype);
  cut.rows = row_count;
  cut.heads = head_count;
  return cut;
}

std::int64_t bytes_of(const TensorView& view) {
  return view.batch * view.rows * view.heads * view.dim * bytes_of(view.dtype);
}

bool have_same_shape(const TensorView& a, const TensorView& b) {
  return a.batch == b.batch && a.rows == b.rows && a.heads == b.heads && a.dim == b.dim;
}

void check_same_shape(const TensorView& a, const TensorView& b) {
  if (!have_same_shape(a, b)) {
    throw std::logic_error("an element-wise operation between tensors of different shapes");
  }
}

BufferView view_of(const Buffer& buffer, Layout layout, std::int64_t batch, std::byte* memory) {
  BufferView view;
  view.first = tensor(buffer, layout, batch, buffer.dim, memory);
  if (buffer.dim_v > 0) {
    const std::int64_t first_bytes = batch * buffer.rows * buffer.heads * buffer.dim * bytes_of(buffer.dtype);
    view.second = tensor(buffer, layout, batch, buffer.dim_v, memory + first_bytes);
  }
  return view;
}

}  // namespace cpbench
