#include "cli/axes/legal.hpp"

#include <algorithm>
#include <optional>
#include <ranges>

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

std::vector<std::int64_t> multiples_around(std::int64_t asked, std::int64_t unit) {
  const std::int64_t below = (asked - 1) / unit * unit, above = (asked / unit + 1) * unit;
  return below == 0 ? std::vector{above} : std::vector{below, above};
}

std::string legal_choices(const std::vector<Remedy>& remedies,
                          const std::function<bool(Axis, const AxisValue&)>& is_legal) {
  std::string text;
  for (const Remedy& remedy : remedies) {
    const AxisInfo& info = info_of(remedy.axis);
    const std::vector<std::int64_t>& candidates = remedy.candidates;
    if (info.kind == AxisKind::kFlag) {
      if (is_legal(remedy.axis, true)) text += fmt::format("{} or {}", text.empty() ? ";" : ",", info.flag());
      continue;
    }
    const auto first_legal = [&](auto&& values) {
      const auto found = std::ranges::find_if(values, [&](std::int64_t value) {
        return value >= info.smallest && value <= info.largest && is_legal(remedy.axis, value);
      });
      return found == values.end() ? std::nullopt : std::optional(*found);
    };
    const auto above = std::ranges::upper_bound(candidates, remedy.asked),
               below = std::ranges::lower_bound(candidates, remedy.asked);
    std::vector<std::int64_t> nearest;
    if (const auto found = first_legal(std::ranges::subrange(candidates.begin(), below) | std::views::reverse)) {
      nearest.push_back(*found);
    }
    if (const auto found = first_legal(std::ranges::subrange(above, candidates.end()))) nearest.push_back(*found);
    if (nearest.empty()) continue;
    text += fmt::format("{} nearest legal {}: {}", text.empty() ? ";" : ",", info.name, fmt::join(nearest, " or "));
  }
  return text;
}

}  // namespace cpbench
