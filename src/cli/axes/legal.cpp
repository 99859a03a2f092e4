#include "cli/axes/legal.hpp"

#include <algorithm>

#include "support/error.hpp"

namespace cpbench {

std::vector<std::int64_t> divisors_of(std::int64_t n) {
  std::vector<std::int64_t> small, large;
  for (std::int64_t d = 1; d * d <= n; ++d) {
    if (n % d != 0) continue;
    small.push_back(d);
    if (d != n / d) large.push_back(n / d);
  }
  small.insert(small.end(), large.rbegin(), large.rend());
  return small;
}

std::string nearest_legal(std::int64_t asked, const std::vector<std::int64_t>& legal) {
  const auto above = std::upper_bound(legal.begin(), legal.end(), asked);
  const auto below = std::lower_bound(legal.begin(), legal.end(), asked);
  std::vector<std::int64_t> nearest;
  if (below != legal.begin()) nearest.push_back(*(below - 1));
  if (above != legal.end()) nearest.push_back(*above);
  return nearest.empty() ? "none" : fmt::format("{}", fmt::join(nearest, " or "));
}

std::string nearest_multiples(std::int64_t asked, std::int64_t unit) {
  const std::int64_t below = asked / unit * unit;
  return below == 0 ? fmt::format("{}", unit) : fmt::format("{} or {}", below, below + unit);
}

}  // namespace cpbench
