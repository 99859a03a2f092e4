// Boxes of tensors as a copy engine takes them: rows at regular distances, on both sides.
#pragma once

#include "backend/cuda/runtime.hpp"
#include "backend/tensor_view.hpp"

namespace cpbench {

/// Queues to = from: two boxes of the same shape, each in the memory of a device or in pinned memory.
void queue_copy(const TensorView& to, const TensorView& from, cudaStream_t stream);

/// A box of the same shape without gaps at `memory`. Its axes are in the order in which those of `box` lie in memory,
/// so both ends of a message have the same order.
TensorView packed_like(const TensorView& box, std::byte* memory);

}  // namespace cpbench
