// One row of a tensor as numbers.
#pragma once

#include <cstdint>
#include <vector>

#include "backend/tensor_view.hpp"

namespace cpbench {

inline std::vector<double> read_row(const TensorView& view, std::int64_t batch, std::int64_t row, int head) {
  return with_type(view.dtype, [&](auto type) {
    const auto* elements = view.at<const decltype(type)>(batch, row, head);
    std::vector<double> values;
    values.reserve(static_cast<std::size_t>(view.dim));
    for (std::int64_t c = 0; c < view.dim; ++c) values.push_back(to_float(elements[c]));
    return values;
  });
}

}  // namespace cpbench
