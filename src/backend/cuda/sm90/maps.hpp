// Tensor maps of the operands of attention.
#pragma once

#include "backend/cuda/parameters.hpp"
#include "backend/cuda/tensor_map.hpp"

namespace cpbench::sm90 {

/// Rows [row_begin, row_end) of a tensor, in boxes of `box_rows` rows and 128 bytes; row_begin has coordinate 0. Of no
/// rows, a map that must not be used.
inline CUtensorMap map_of(const DeviceTensor& tensor, DType dtype, int dim, int heads, int batch, int row_begin,
                          int row_end, int box_rows) {
  const int bytes = bytes_of(dtype);
  const auto stride = [&](std::int64_t elements) { return static_cast<std::uint64_t>(elements * bytes); };
  const int rows = row_end > row_begin ? row_end - row_begin : 1;
  return encode_tensor_map(
      {.dtype = dtype,
       .data = static_cast<std::byte*>(tensor.data) + row_begin * tensor.row_stride * bytes,
       .sizes = {static_cast<std::uint64_t>(dim), static_cast<std::uint64_t>(rows), static_cast<std::uint64_t>(heads),
                 static_cast<std::uint64_t>(batch)},
       .strides = {stride(tensor.row_stride), stride(tensor.head_stride), stride(tensor.batch_stride)},
       .box = {static_cast<std::uint32_t>(128 / bytes), static_cast<std::uint32_t>(box_rows), 1, 1}});
}

}  // namespace cpbench::sm90
