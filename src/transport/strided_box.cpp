#include "transport/strided_box.hpp"

#include <algorithm>
#include <stdexcept>

namespace cpbench {

StridedCopy strided_copy(const TensorView& to, const TensorView& from) {
  if (to.dtype != from.dtype || !have_same_shape(to, from)) {
    throw std::logic_error("a copy between boxes of different shapes");
  }
  using Axis = StridedCopy::Axis;
  const std::int64_t element = bytes_of(to.dtype);
  std::vector<Axis> axes = {{to.heads, to.head_stride * element, from.head_stride * element},
                            {to.rows, to.row_stride * element, from.row_stride * element},
                            {to.batch, to.batch_stride * element, from.batch_stride * element}};
  std::erase_if(axes, [](const Axis& axis) { return axis.count == 1; });
  std::ranges::stable_sort(axes, {}, &Axis::to_stride_bytes);

  StridedCopy copy{to.dim * element, {}};
  const auto continues = [](const Axis& axis, std::int64_t to_bytes, std::int64_t from_bytes) {
    return axis.to_stride_bytes == to_bytes && axis.from_stride_bytes == from_bytes;
  };
  for (const Axis& axis : axes) {
    if (copy.axes.empty() && continues(axis, copy.block_bytes, copy.block_bytes)) {
      copy.block_bytes *= axis.count;
    } else if (!copy.axes.empty() && continues(axis, copy.axes.back().count * copy.axes.back().to_stride_bytes,
                                               copy.axes.back().count * copy.axes.back().from_stride_bytes)) {
      copy.axes.back().count *= axis.count;
    } else {
      copy.axes.push_back(axis);
    }
  }
  return copy;
}

StridedBox strided_box(const TensorView& box) {
  const StridedCopy copy = strided_copy(box, box);
  StridedBox result{box.data, copy.block_bytes, {}};
  for (const StridedCopy::Axis& axis : copy.axes) result.axes.push_back({axis.count, axis.to_stride_bytes});
  return result;
}

std::vector<StridedBox> strided_boxes(std::span<const TensorView> boxes) {
  std::vector<StridedBox> result;
  for (const TensorView& box : boxes) {
    StridedBox next = strided_box(box);
    if (!result.empty() && result.back().contiguous() && next.contiguous() &&
        result.back().data + result.back().block_bytes == next.data) {
      result.back().block_bytes += next.block_bytes;
    } else {
      result.push_back(std::move(next));
    }
  }
  return result;
}

}  // namespace cpbench
