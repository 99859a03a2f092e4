// Tensors of doubles that tests compute with, and their way into and out of strided views.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "backend/tensor_view.hpp"

namespace cpbench::test {

/// [batch, rows, heads, dim] in this order; doubles hold every storage type exactly.
struct Dense {
  std::int64_t batch = 0, rows = 0, heads = 0, dim = 0;
  std::vector<double> values;

  Dense() = default;
  Dense(std::int64_t b, std::int64_t r, std::int64_t h, std::int64_t d)
      : batch(b), rows(r), heads(h), dim(d), values(static_cast<std::size_t>(b * r * h * d), 0.0) {}
  double* at(std::int64_t b, std::int64_t row, std::int64_t head) {
    return values.data() + ((b * rows + row) * heads + head) * dim;
  }
  const double* at(std::int64_t b, std::int64_t row, std::int64_t head) const {
    return values.data() + ((b * rows + row) * heads + head) * dim;
  }
  bool operator==(const Dense&) const = default;
};

Dense read(const TensorView& view);
/// Rounds to the view's storage type.
void write(const Dense& dense, const TensorView& view);
/// Draws every element from a normal distribution with this standard deviation.
void fill_normal(const TensorView& view, double deviation, std::mt19937_64& random);

double max_abs(const Dense& dense);
/// The largest absolute difference; equal infinities differ by 0, and NaN differs from everything by infinity.
double max_difference(const Dense& a, const Dense& b);

}  // namespace cpbench::test
