// Operands of the micro-kernels: rows of a head, rearranged into words (microkernels.hpp).
#pragma once

#include <cstdint>

#include "backend/tensor_view.hpp"

namespace cpbench {

inline constexpr int kMaxPackedDim = 256;

/// `count` rows of one head, from `row_begin`. Rows that the packed form has beyond them are zero, and so are the first
/// `left_out`, whatever the tensor holds there.
struct HeadRows {
  const TensorView& tensor;
  std::int64_t b, head, row_begin, count, left_out = 0;
};

/// [rows / width][depth][width]: words along dim, columns are rows of the head. `padded_rows` is a multiple of `width`,
/// which is even or 1. Words of the depth beyond dim are zero. `factor` multiplies fp32 words; pairs are copied.
void pack_columns(const HeadRows& rows, std::int64_t padded_rows, int width, std::int64_t depth, bool pairs,
                  float factor, float* to);

/// [dim panels][row words][panel]: words along the rows. `padded_rows` is even where words are pairs. Dims beyond the
/// tensor's are zero. A panel of 1, [dims][row words], is for pairs, whose `padded_rows` are a multiple of 8.
void pack_rows(const HeadRows& rows, std::int64_t padded_rows, int panel, bool pairs, float* to);

/// For a matrix unit (MatrixProduct), of bf16: A with rows of the head as rows, and A with its dims as rows. Dims that
/// the tensor lacks are zero in the former; as rows they are left out.
void pack_matrix_rows(const HeadRows& rows, std::int64_t padded_rows, std::int64_t depth, float* to);
void pack_matrix_dims(const HeadRows& rows, std::int64_t padded_rows, float* to);

/// [columns][rows]: to[i * to_stride + j] = from[j * from_stride + i]. Both counts are multiples of 4.
void transpose(const float* from, std::int64_t from_stride, std::int64_t rows, std::int64_t columns, float* to,
               std::int64_t to_stride);

inline std::int64_t round_up(std::int64_t value, std::int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

}  // namespace cpbench
