#include "run/rank_peaks.hpp"

#include <algorithm>
#include <numeric>
#include <optional>

namespace cpbench {
namespace {

std::vector<double> by_rank(const std::vector<RankPeaks>& ranks, Peak peak) {
  std::vector<double> figures;
  for (const RankPeaks& rank : ranks) figures.push_back(rank[peak]);
  return figures;
}

}  // namespace

PeakSpread spread_of(const std::vector<RankPeaks>& ranks, Peak peak) {
  const std::vector<double> figures = by_rank(ranks, peak);
  return {.mean = std::reduce(figures.begin(), figures.end()) / static_cast<double>(figures.size()),
          .spread = spread_of(figures),
          .lowest_rank = static_cast<int>(std::ranges::min_element(figures) - figures.begin())};
}

std::vector<SlowPeak> slow_peaks(const std::vector<RankPeaks>& ranks) {
  std::vector<SlowPeak> slow;
  for (const Peak peak : kPeaks) {
    const double median = spread_of(ranks, peak).spread.median;
    for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
      const std::optional<double> fraction = slow_fraction(ranks[rank][peak], median);
      if (fraction) slow.push_back({static_cast<int>(rank), peak, *fraction});
    }
  }
  std::ranges::stable_sort(slow, {}, &SlowPeak::rank);
  return slow;
}

}  // namespace cpbench
