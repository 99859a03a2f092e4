// How far results are from exact ones.
#pragma once

#include <cmath>
#include <cstddef>
#include <stdexcept>
#include <vector>

namespace cpbench {

/// |values - exact| / |exact|, where equal infinities differ by nothing.
inline double relative_error(const std::vector<double>& values, const std::vector<double>& exact) {
  if (values.size() != exact.size()) throw std::logic_error("relative_error: different shapes");
  double error = 0, size = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] == exact[i]) continue;
    error += (values[i] - exact[i]) * (values[i] - exact[i]);
    size += exact[i] * exact[i];
  }
  return error == 0 ? 0 : std::sqrt(error / size);
}

}  // namespace cpbench
