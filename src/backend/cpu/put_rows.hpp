// Rows of results from scratch memory to where they belong.
#pragma once

#include <cstdint>

#include "backend/cpu/microkernels.hpp"
#include "backend/tensor_view.hpp"

namespace cpbench {

/// Asks the memory for a head's row that is written soon: a store waits for its line, and rows of a head lie apart.
inline void ask_for_row_to_write(const TensorView& tensor, std::int64_t b, std::int64_t row, std::int64_t head) {
  const char* begin = static_cast<const char*>(tensor.address(b, row, head));
  const std::int64_t bytes = tensor.dim * bytes_of(tensor.dtype);
  for (std::int64_t i = 0; i < bytes; i += kLineBytes) __builtin_prefetch(begin + i, 1);
}

/// Stores `count` rows times `factor`, or adds them: `from` is [count][stride], the first one is `row` of the head.
inline void put_rows(const Microkernels& kernels, const float* from, std::int64_t stride, std::int64_t count,
                     float factor, bool add, const TensorView& to, std::int64_t b, std::int64_t row,
                     std::int64_t head) {
  constexpr std::int64_t kRowsAhead = 16;
  for (std::int64_t r = 0; r < count; ++r) {
    if (r + kRowsAhead < count) ask_for_row_to_write(to, b, row + r + kRowsAhead, head);
    kernels.rows.put(from + r * stride, to.dim, factor, add, to.dtype, to.address(b, row + r, head));
  }
}

}  // namespace cpbench
