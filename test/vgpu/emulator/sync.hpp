// What those who arrive somewhere hand to those who leave.
#pragma once

#include <algorithm>
#include <vector>

#include "clocks.hpp"

namespace cpbench::vgpu {

struct Sync {
  std::vector<Clock> clock, visible;

  void clear() {
    clock.clear();
    visible.clear();
  }
};

}  // namespace cpbench::vgpu
