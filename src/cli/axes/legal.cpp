#include "cli/axes/legal.hpp"

#include <algorithm>
#include <iterator>

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

namespace {

/// `what`: of the values that are named.
std::string choices(const std::string& what, const std::vector<Remedy>& remedies,
                    const std::function<bool(Axis, const AxisValue&)>& is_legal) {
  std::string text;
  for (const Remedy& remedy : remedies) {
    const AxisInfo& info = info_of(remedy.axis);
    const std::vector<std::int64_t>& candidates = remedy.candidates;
    if (info.kind == AxisKind::kFlag) {
      if (is_legal(remedy.axis, true)) text += fmt::format("{} or {}", text.empty() ? ";" : ",", info.flag());
      continue;
    }
    const auto is_choice = [&](std::int64_t value) {
      return value >= info.smallest && value <= info.largest && is_legal(remedy.axis, value);
    };
    std::vector<std::int64_t> nearest;
    const auto below = std::lower_bound(candidates.begin(), candidates.end(), remedy.asked);
    const auto from_below = std::find_if(std::reverse_iterator(below), candidates.rend(), is_choice);
    if (from_below != candidates.rend()) nearest.push_back(*from_below);
    const auto above = std::upper_bound(candidates.begin(), candidates.end(), remedy.asked);
    const auto from_above = std::find_if(above, candidates.end(), is_choice);
    if (from_above != candidates.end()) nearest.push_back(*from_above);
    if (nearest.empty()) continue;
    text += fmt::format("{} {} {}: {}", text.empty() ? ";" : ",", what, info.name, fmt::join(nearest, " or "));
  }
  return text;
}

}  // namespace

std::string legal_choices(const std::vector<Remedy>& remedies,
                          const std::function<bool(Axis, const AxisValue&)>& is_legal) {
  return choices("nearest legal", remedies, is_legal);
}

std::string choices_by_one_rule(const std::vector<Remedy>& remedies) {
  const std::string text = choices("nearest", remedies, [](Axis, const AxisValue&) { return true; });
  return text.empty() ? "" : text + " (by this rule alone: more has to change)";
}

}  // namespace cpbench
