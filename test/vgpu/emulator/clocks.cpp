#include "clocks.hpp"

#include <algorithm>

#include "validate/multiversion.hpp"

namespace cpbench::vgpu {

CPBENCH_MULTIVERSION
void join(Clock* to, const Clock* from, int count) {
  for (int i = 0; i < count; ++i) to[i] = std::max(to[i], from[i]);
}

}  // namespace cpbench::vgpu
