#include "transport/strided_box.hpp"

#include <algorithm>

namespace cpbench {

StridedBox strided_box(const TensorView& box) {
  const std::int64_t element = bytes_of(box.dtype);
  std::vector<StridedBox::Axis> axes = {{box.heads, box.head_stride * element},
                                        {box.rows, box.row_stride * element},
                                        {box.batch, box.batch_stride * element}};
  std::erase_if(axes, [](const StridedBox::Axis& axis) { return axis.count == 1; });
  std::ranges::stable_sort(axes, {}, &StridedBox::Axis::stride_bytes);

  StridedBox result{box.data, box.dim * element, {}};
  for (const StridedBox::Axis& axis : axes) {
    if (result.axes.empty() && axis.stride_bytes == result.block_bytes) {
      result.block_bytes *= axis.count;
    } else if (!result.axes.empty() &&
               axis.stride_bytes == result.axes.back().count * result.axes.back().stride_bytes) {
      result.axes.back().count *= axis.count;
    } else {
      result.axes.push_back(axis);
    }
  }
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
