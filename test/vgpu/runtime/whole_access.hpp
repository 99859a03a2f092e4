// What an operation that is no kernel touches: it does one thing after another, so all of its accesses are in order.
#pragma once

#include <cstddef>
#include <cstdint>

#include "emulator/global_shadow.hpp"

namespace cpbench::vgpu {

struct InOrder {
  bool covers(Epoch) const { return true; }
  bool is_ordered(Epoch) const { return true; }
};
inline constexpr Epoch kOnlyEpoch = make_epoch(0, 1);

/// Of device memory, by the operation that has begun.
inline void note_read(const void* data, std::size_t bytes) {
  global_shadow().read(reinterpret_cast<std::uintptr_t>(data), bytes, kOnlyEpoch, InOrder{});
}
inline void note_write(const void* data, std::size_t bytes) {
  global_shadow().write(reinterpret_cast<std::uintptr_t>(data), bytes, kOnlyEpoch, InOrder{});
}
/// Of a flag, by an operation that waits for it, and by one that raises it.
inline void note_poll(const void* data, std::size_t bytes) {
  global_shadow().poll(reinterpret_cast<std::uintptr_t>(data), bytes);
}
inline void note_raise(const void* data, std::size_t bytes) {
  global_shadow().raise(reinterpret_cast<std::uintptr_t>(data), bytes, kOnlyEpoch);
}

}  // namespace cpbench::vgpu
