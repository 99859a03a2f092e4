// A box of a tensor as contiguous blocks at regular distances: what a datatype or a strided copy engine describes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "backend/tensor_view.hpp"

namespace cpbench {

/// A copy between two boxes of the same shape: blocks of `block_bytes`, repeated over `axes`, innermost first. Axes
/// that continue each other on both sides are one.
struct StridedCopy {
  struct Axis {
    std::int64_t count, to_stride_bytes, from_stride_bytes;
    bool operator==(const Axis&) const = default;
  };
  std::int64_t block_bytes;
  std::vector<Axis> axes;
};
StridedCopy strided_copy(const TensorView& to, const TensorView& from);

/// Blocks of `block_bytes`, repeated over `axes`, innermost first. Axes that continue each other are one, so a
/// contiguous box has none.
struct StridedBox {
  struct Axis {
    std::int64_t count, stride_bytes;
    bool operator==(const Axis&) const = default;
  };
  std::byte* data;
  std::int64_t block_bytes;
  std::vector<Axis> axes;

  bool contiguous() const { return axes.empty(); }
};

/// The elements of `box` in the order of memory. Both ends of a message see the same order where their tensors have
/// the same layout, as those of a program have.
StridedBox strided_box(const TensorView& box);

/// The boxes of a message in order; neighbours that are contiguous and adjacent (K and V of a whole block) are one.
std::vector<StridedBox> strided_boxes(std::span<const TensorView> boxes);

}  // namespace cpbench
