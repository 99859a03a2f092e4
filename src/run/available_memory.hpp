// How much memory a node has left.
#pragma once

#include <cstdint>
#include <filesystem>

namespace cpbench {

/// Bytes that can still be allocated on this node: the kernel's MemAvailable, or what the control groups (v1 or v2) of
/// this process leave of their limits if that is less. Files are looked up below `root`, which tests replace.
std::int64_t available_memory(const std::filesystem::path& root = "/");

}  // namespace cpbench
