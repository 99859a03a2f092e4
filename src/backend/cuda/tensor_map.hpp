// Tensor maps: how the tensor memory accelerator is told of a tensor in global memory (ptx/tma.hpp).
#pragma once

#include <array>
#include <cstdint>

#include "backend/cuda/runtime.hpp"
#include "problem/dtype.hpp"

namespace cpbench {

/// Four axes, the innermost one first and contiguous. In shared memory a box lies in the order of its axes; `box[0]` is
/// 128 bytes wide, and the 16-byte pieces of its rows are swizzled: address bits 4 to 6 are exclusive-or'ed with bits 7
/// to 9 (CU_TENSOR_MAP_SWIZZLE_128B).
struct TensorMapShape {
  DType dtype;
  void* data;                            ///< aligned to 16
  std::array<std::uint64_t, 4> sizes;    ///< in elements, each >= 1
  std::array<std::uint64_t, 3> strides;  ///< in bytes, of axes 1 to 3, multiples of 16
  std::array<std::uint32_t, 4> box;      ///< in elements, each <= 256
};

/// Throws a device error where the driver refuses the shape. Needs a driver but no context.
CUtensorMap encode_tensor_map(const TensorMapShape& shape);

}  // namespace cpbench
