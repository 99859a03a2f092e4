// Dense matrices and their products, the plain way.
#pragma once

#include <cstdint>
#include <vector>

#include "problem/dtype.hpp"

namespace cpbench::vgpu {

/// Small numbers that storage types hold exactly: products and sums of few are exact in fp32, whatever the order.
template <typename T>
std::vector<T> small_numbers(std::size_t count, std::uint32_t seed) {
  std::vector<T> values(count);
  for (T& value : values) {
    seed = seed * 1664525u + 1013904223u;
    value = from_float<T>((static_cast<float>(seed >> 24) - 127.0f) / 64.0f);
  }
  return values;
}

/// a [m][k] * b [n][k], both row major.
template <typename T>
std::vector<float> product(int m, int n, int k, const std::vector<T>& a, const std::vector<T>& b) {
  std::vector<float> c;
  for (int i = 0; i < m; ++i) {
    for (int j = 0; j < n; ++j) {
      double sum = 0;
      for (int l = 0; l < k; ++l) {
        sum +=
            double{to_float(a[static_cast<std::size_t>(i * k + l)])} * to_float(b[static_cast<std::size_t>(j * k + l)]);
      }
      c.push_back(static_cast<float>(sum));
    }
  }
  return c;
}

}  // namespace cpbench::vgpu
