// Rows of tensors that are needed soon and may lie beyond the caches: the memory is asked for them while products are
// made.
#pragma once

#include <cstdint>

#include "backend/cpu/microkernels.hpp"
#include "backend/tensor_view.hpp"

namespace cpbench {

class UpcomingRows {
 public:
  /// `bytes` from `first` on, and as many `stride` bytes later, and so on.
  void add(const void* first, std::int64_t bytes, std::int64_t stride) {
    parts_[count_++] = {static_cast<const float*>(first), (bytes + kLineBytes - 1) / kLineBytes,
                        static_cast<int>(stride / kWordBytes)};
  }
  /// Rows of a head, from `row` on.
  void add(const TensorView& tensor, std::int64_t b, std::int64_t row, std::int64_t head) {
    const std::int64_t element = bytes_of(tensor.dtype);
    add(tensor.address(b, row, head), tensor.dim * element, tensor.row_stride * element);
  }

  bool empty() const { return next_ == count_; }
  /// One line of each row, a row a step: not empty.
  Ahead take() {
    Part& part = parts_[next_];
    const Ahead line{part.words, part.step};
    part.words += kLineWords;
    if (--part.lines == 0) ++next_;
    return line;
  }

 private:
  static constexpr std::int64_t kWordBytes = sizeof(float);
  struct Part {
    const float* words;
    std::int64_t lines;
    int step;
  };
  Part parts_[3];
  int next_ = 0, count_ = 0;
};

}  // namespace cpbench
