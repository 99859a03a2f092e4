#include "backend/support/dense.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace cpbench::test {
namespace {

template <typename Visit>
void for_elements(const TensorView& view, Visit&& visit) {
  with_type(view.dtype, [&]<typename T>(T) {
    for (std::int64_t b = 0; b < view.batch; ++b)
      for (std::int64_t row = 0; row < view.rows; ++row)
        for (std::int64_t head = 0; head < view.heads; ++head)
          for (std::int64_t i = 0; i < view.dim; ++i) visit(view.at<T>(b, row, head)[i], b, row, head, i);
  });
}

}  // namespace

Dense read(const TensorView& view) {
  Dense dense(view.batch, view.rows, view.heads, view.dim);
  for_elements(
      view, [&](auto& element, auto b, auto row, auto head, auto i) { dense.at(b, row, head)[i] = to_float(element); });
  return dense;
}

void write(const Dense& dense, const TensorView& view) {
  for_elements(view, [&]<typename T>(T& element, auto b, auto row, auto head, auto i) {
    element = from_float<T>(static_cast<float>(dense.at(b, row, head)[i]));
  });
}

void fill_normal(const TensorView& view, double deviation, std::mt19937_64& random) {
  std::normal_distribution<float> normal(0.0f, static_cast<float>(deviation));
  for_elements(view, [&]<typename T>(T& element, auto...) { element = from_float<T>(normal(random)); });
}

double max_abs(const Dense& dense) {
  double highest = 0;
  for (const double value : dense.values) {
    if (std::isfinite(value)) highest = std::max(highest, std::abs(value));
  }
  return highest;
}

double max_difference(const Dense& a, const Dense& b) {
  if (a.values.size() != b.values.size()) throw std::logic_error("max_difference: different shapes");
  double highest = 0;
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    if (a.values[i] == b.values[i]) continue;
    const double difference = std::abs(a.values[i] - b.values[i]);
    highest = std::isnan(difference) ? std::numeric_limits<double>::infinity() : std::max(highest, difference);
  }
  return highest;
}

}  // namespace cpbench::test
