#include "validate/collective.hpp"

#include <algorithm>
#include <functional>

namespace cpbench {
namespace {

/// Combines the ranks' values element by element, in the order of ranks: the same bits everywhere.
template <typename Combine>
void reduce(Collective& collective, std::span<double> values, Combine combine) {
  const auto parts = collective.allgather(values);
  std::copy(parts[0].begin(), parts[0].end(), values.begin());
  for (std::size_t rank = 1; rank < parts.size(); ++rank) {
    std::transform(values.begin(), values.end(), parts[rank].begin(), values.begin(), combine);
  }
}

}  // namespace

void Collective::sum(std::span<double> values) { reduce(*this, values, std::plus<>()); }

void Collective::max(std::span<double> values) {
  reduce(*this, values, [](double a, double b) { return std::max(a, b); });
}

}  // namespace cpbench
