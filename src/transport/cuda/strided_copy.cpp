#include "transport/cuda/strided_copy.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <vector>

namespace cpbench {
namespace {

/// One of several equal parts of a copy: how many, and how far apart on either side, in bytes.
struct Axis {
  std::int64_t count, to_stride, from_stride;
};

struct StridedCopy {
  std::int64_t width;      ///< contiguous bytes
  std::vector<Axis> axes;  ///< the innermost first
};

StridedCopy strided_copy(const TensorView& to, const TensorView& from) {
  if (to.dtype != from.dtype || to.batch != from.batch || to.rows != from.rows || to.heads != from.heads ||
      to.dim != from.dim) {
    throw std::logic_error("a copy between boxes of different shapes");
  }
  const std::int64_t element = bytes_of(to.dtype);
  std::vector<Axis> axes = {{to.heads, to.head_stride * element, from.head_stride * element},
                            {to.rows, to.row_stride * element, from.row_stride * element},
                            {to.batch, to.batch_stride * element, from.batch_stride * element}};
  std::erase_if(axes, [](const Axis& axis) { return axis.count == 1; });
  std::ranges::stable_sort(axes, {}, &Axis::to_stride);
  StridedCopy copy{to.dim * element, {}};
  for (const Axis& axis : axes) {
    if (copy.axes.empty() && axis.to_stride == copy.width && axis.from_stride == copy.width) {
      copy.width *= axis.count;
    } else if (!copy.axes.empty() && axis.to_stride == copy.axes.back().count * copy.axes.back().to_stride &&
               axis.from_stride == copy.axes.back().count * copy.axes.back().from_stride) {
      copy.axes.back().count *= axis.count;
    } else {
      copy.axes.push_back(axis);
    }
  }
  return copy;
}

constexpr std::int64_t kMostPitch = (std::int64_t{1} << 31) - 1;  ///< cudaDeviceProp::memPitch, of every GPU

std::size_t size(std::int64_t value) { return static_cast<std::size_t>(value); }

/// The innermost `axes` of the copy, all but the first of them one after the other: they are few, or the blocks large.
void queue_along(const StridedCopy& copy, std::size_t axes, std::byte* to, const std::byte* from, cudaStream_t stream) {
  if (axes == 0) {
    check(cudaMemcpyAsync(to, from, size(copy.width), cudaMemcpyDefault, stream), "cudaMemcpyAsync");
    return;
  }
  const Axis& axis = copy.axes[axes - 1];
  if (axes == 1 && std::max(axis.to_stride, axis.from_stride) <= kMostPitch) {
    check(cudaMemcpy2DAsync(to, size(axis.to_stride), from, size(axis.from_stride), size(copy.width), size(axis.count),
                            cudaMemcpyDefault, stream),
          "cudaMemcpy2DAsync");
    return;
  }
  for (std::int64_t i = 0; i < axis.count; ++i) {
    queue_along(copy, axes - 1, to + i * axis.to_stride, from + i * axis.from_stride, stream);
  }
}

}  // namespace

void queue_copy(const TensorView& to, const TensorView& from, cudaStream_t stream) {
  if (bytes_of(to) == 0) return;
  const StridedCopy copy = strided_copy(to, from);
  queue_along(copy, copy.axes.size(), to.data, from.data, stream);
}

TensorView packed_like(const TensorView& box, std::byte* memory) {
  TensorView packed = box;
  packed.data = memory;
  struct Order {
    std::int64_t count, stride;
    std::int64_t* packed_stride;
  };
  std::array<Order, 3> axes = {Order{box.heads, box.head_stride, &packed.head_stride},
                               Order{box.rows, box.row_stride, &packed.row_stride},
                               Order{box.batch, box.batch_stride, &packed.batch_stride}};
  std::ranges::stable_sort(axes, {}, &Order::stride);
  std::int64_t stride = box.dim;
  for (const Order& axis : axes) {
    *axis.packed_stride = stride;
    stride *= axis.count;
  }
  return packed;
}

std::int64_t bytes_of(const TensorView& box) {
  return box.batch * box.rows * box.heads * box.dim * bytes_of(box.dtype);
}

}  // namespace cpbench
