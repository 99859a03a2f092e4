#include "result/peaks.hpp"

#include <fmt/format.h>

namespace cpbench {

const PeakName& name_of(Peak peak) {
  static constexpr std::array<PeakName, kPeaks.size()> kNames = {
      {{"fp32 FMA", "GFLOP/s", 1e9, 1, "fp32_tflops", 1e12},
       {"bf16", "GFLOP/s", 1e9, 1, "bf16_tflops", 1e12},
       {"memory bandwidth", "GB/s", 1e9, 1, "memory_bandwidth", 1e9},
       {"exp2", "G/s", 1e9, 2, "exps_per_s", 1},
       {"CPU time", "%", 0.01, 1, "cpu_time", 1}}};
  return kNames[static_cast<std::size_t>(peak)];
}

std::string peaks_table(const std::vector<RankPeaks>& peaks, const std::vector<RankInfo>& ranks) {
  std::string text;
  for (const Peak peak : kPeaks) {
    const auto& [name, unit, per_unit, decimals, key, per_key_unit] = name_of(peak);
    const auto& [mean, spread, lowest_rank] = spread_of(peaks, peak);
    text += fmt::format("  {:<16}  {:8.{}f} {}", name, mean / per_unit, decimals, unit);
    if (peaks.size() > 1) {
      text += fmt::format("{:<{}}{:8.{}f} to {:8.{}f}, the lowest of rank {} on {}", "", 9 - unit.size(),
                          spread.lowest / per_unit, decimals, spread.highest / per_unit, decimals, lowest_rank,
                          ranks[static_cast<std::size_t>(lowest_rank)].host);
    }
    text += "\n";
  }
  return text;
}

Json json_of(const std::vector<RankPeaks>& peaks) {
  Json json, spreads, by_rank;
  for (const Peak peak : kPeaks) {
    const PeakName& name = name_of(peak);
    const auto figure = [&](double value) { return json_of_figure(value / name.per_key_unit); };
    const auto& [mean, spread, lowest_rank] = spread_of(peaks, peak);
    json[name.key] = figure(mean);
    spreads[name.key] = {{"lowest", figure(spread.lowest)},
                         {"lowest_rank", lowest_rank},
                         {"median", figure(spread.median)},
                         {"highest", figure(spread.highest)}};
    by_rank[name.key] = Json::array();
    for (const RankPeaks& rank : peaks) by_rank[name.key].push_back(figure(rank[peak]));
  }
  json.update({{"spread", spreads}, {"by_rank", by_rank}});
  return json;
}

}  // namespace cpbench
