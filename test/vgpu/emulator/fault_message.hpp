// How the emulator raises faults.
#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>

#include "vgpu/fault.hpp"

namespace cpbench::vgpu {

/// Ends the launch that runs, if one does, and throws the fault out of it; the message gets block and thread.
[[noreturn]] void raise(FaultKind kind, std::string message);

template <typename... Args>
[[noreturn, gnu::cold]] void fail(FaultKind kind, fmt::format_string<Args...> format, Args&&... args) {
  raise(kind, fmt::format(format, std::forward<Args>(args)...));
}

/// `shared memory + 0x400`, `global memory 0x2000… (allocation of 4096 bytes + 0x10)`.
std::string describe_address(const void* address);

}  // namespace cpbench::vgpu
