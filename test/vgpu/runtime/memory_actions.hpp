// Copies and fills, as streams hold them.
#pragma once

#include <cstddef>
#include <memory>

#include "runtime/operation.hpp"

namespace cpbench::vgpu {

/// Rows of `width` bytes in slices of `height`: a box of memory.
struct Box3 {
  std::byte* data;
  std::size_t row_pitch, slice_pitch;  ///< bytes from one row, and one slice, to the next
};
struct Extent3 {
  std::size_t width, height, depth;
};

/// Whether the emulator knows the memory: device memory, or pinned memory of the host.
bool is_known_memory(const void* pointer);

/// From pageable memory of the host the bytes are taken here, as CUDA stages them.
std::shared_ptr<Action> make_copy(const Box3& to, const Box3& from, const Extent3& extent);
std::shared_ptr<Action> make_fill(const Box3& to, int value, const Extent3& extent);
std::shared_ptr<Action> make_host_call(void (*function)(void*), void* data);

}  // namespace cpbench::vgpu
