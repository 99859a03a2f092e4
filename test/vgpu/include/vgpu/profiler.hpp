// What a profiler would have been told.
#pragma once

#include <string>
#include <vector>

namespace cpbench::vgpu {

/// The ranges that were closed since the last call, in that order.
std::vector<std::string> take_ranges();
/// Of ranges that are open.
int open_ranges();

}  // namespace cpbench::vgpu
