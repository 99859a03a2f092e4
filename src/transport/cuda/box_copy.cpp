#include "transport/cuda/box_copy.hpp"

#include <algorithm>
#include <array>

#include "transport/strided_box.hpp"

namespace cpbench {
namespace {

constexpr std::int64_t kMostPitch = (std::int64_t{1} << 31) - 1;  ///< cudaDeviceProp::memPitch, of every GPU

std::size_t size(std::int64_t value) { return static_cast<std::size_t>(value); }

/// The innermost `axes` of the copy, all but the first of them one after the other: they are few, or the blocks large.
void queue_along(const StridedCopy& copy, std::size_t axes, std::byte* to, const std::byte* from, cudaStream_t stream) {
  if (axes == 0) {
    check(cudaMemcpyAsync(to, from, size(copy.block_bytes), cudaMemcpyDefault, stream), "cudaMemcpyAsync");
    return;
  }
  const StridedCopy::Axis& axis = copy.axes[axes - 1];
  if (axes == 1 && std::max(axis.to_stride_bytes, axis.from_stride_bytes) <= kMostPitch) {
    check(cudaMemcpy2DAsync(to, size(axis.to_stride_bytes), from, size(axis.from_stride_bytes), size(copy.block_bytes),
                            size(axis.count), cudaMemcpyDefault, stream),
          "cudaMemcpy2DAsync");
    return;
  }
  for (std::int64_t i = 0; i < axis.count; ++i) {
    queue_along(copy, axes - 1, to + i * axis.to_stride_bytes, from + i * axis.from_stride_bytes, stream);
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

}  // namespace cpbench
