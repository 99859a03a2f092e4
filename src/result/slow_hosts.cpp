#include "result/slow_hosts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "result/peaks.hpp"
#include "run/placement.hpp"

namespace cpbench {
namespace {

struct SlowHost {
  std::string name;
  int ranks;  ///< that it has
  std::vector<SlowPeak> slow;
};

std::vector<SlowHost> slow_hosts(const std::vector<RankPeaks>& peaks, const std::vector<RankInfo>& ranks) {
  std::map<std::string, SlowHost> hosts;
  for (const SlowPeak& slow : slow_peaks(peaks)) {
    const std::string& name = ranks[static_cast<std::size_t>(slow.rank)].host;
    hosts.try_emplace(name, SlowHost{.name = name, .ranks = 0, .slow = {}}).first->second.slow.push_back(slow);
  }
  for (const RankInfo& rank : ranks) {
    const auto found = hosts.find(rank.host);
    if (found != hosts.end()) ++found->second.ranks;
  }
  std::vector<SlowHost> list;
  for (auto& [name, host] : hosts) list.push_back(std::move(host));
  std::ranges::stable_sort(list, {}, [](const SlowHost& host) {
    return std::ranges::min_element(host.slow, {}, &SlowPeak::of_median)->of_median;
  });
  return list;
}

std::vector<int> ranks_of(const std::vector<SlowPeak>& slow) {
  std::set<int> ranks;
  for (const SlowPeak& one : slow) ranks.insert(one.rank);
  return {ranks.begin(), ranks.end()};
}

std::vector<SlowPeak> of_peak(const std::vector<SlowPeak>& slow, Peak peak) {
  std::vector<SlowPeak> list;
  std::ranges::copy_if(slow, std::back_inserter(list), [&](const SlowPeak& one) { return one.peak == peak; });
  return list;
}

std::string text_of_ranks(const std::vector<int>& ranks) {
  return fmt::format("{} {}", ranks.size() == 1 ? "rank" : "ranks", format_cpus(ranks));
}

std::string text_of_who(const SlowHost& host) {
  const bool is_host = host.ranks > 1 && std::ranges::any_of(kPeaks, [&](Peak peak) {
                         return std::ssize(of_peak(host.slow, peak)) == host.ranks;
                       });
  if (is_host) return fmt::format("slow host: all {} ranks on {}", host.ranks, host.name);
  const std::vector<int> slow = ranks_of(host.slow);
  return fmt::format("slow {}: {} on {}", slow.size() == 1 ? "rank" : "ranks", text_of_ranks(slow), host.name);
}

/// Of the host's slow ranks those that are slow in `peak`.
std::string text_of_figure(const SlowHost& host, Peak peak, const std::vector<RankPeaks>& peaks) {
  const std::vector<SlowPeak> slow = of_peak(host.slow, peak);
  const SlowPeak& lowest = *std::ranges::min_element(slow, {}, &SlowPeak::of_median);
  const PeakName& name = name_of(peak);
  const double value = peaks[static_cast<std::size_t>(lowest.rank)][peak] / name.per_unit;
  std::string text = fmt::format("{} {:.3g} {}, {:.2f} of the median {:.3g}", name.name, value, name.unit,
                                 lowest.of_median, value / lowest.of_median);
  const std::vector<int> ranks = ranks_of(slow);
  if (ranks != ranks_of(host.slow)) text += fmt::format(" ({})", text_of_ranks(ranks));
  return text;
}

/// Others on its cores make a rank slow in all figures, and a slow clock may in that of memory, too.
std::string text_of_causes(const std::vector<SlowPeak>& slow) {
  constexpr std::array<std::string_view, 3> kCauses = {
      "another process on its cores or a CPU quota",
      "a throttled clock, a busy hyper-thread or another instruction set",
      "missing memory channels or memory of another socket"};
  std::map<int, std::size_t> cause_of_rank;
  for (const SlowPeak& one : slow) {
    const std::size_t cause = one.peak == Peak::kCpuTime ? 0 : one.peak == Peak::kMemory ? 2 : 1;
    const auto [known, is_new] = cause_of_rank.try_emplace(one.rank, cause);
    if (!is_new) known->second = std::min(known->second, cause);
  }
  std::set<std::size_t> causes;
  for (const auto& [rank, cause] : cause_of_rank) causes.insert(cause);
  std::string text;
  for (const std::size_t cause : causes) text += fmt::format("{}{}", text.empty() ? "" : "; or ", kCauses[cause]);
  return text;
}

std::string line_of(const SlowHost& host, const std::vector<RankPeaks>& peaks) {
  std::string figures;
  for (const Peak peak : kPeaks) {
    if (of_peak(host.slow, peak).empty()) continue;
    figures += (figures.empty() ? "" : "; ") + text_of_figure(host, peak, peaks);
  }
  return fmt::format("{}: {}; look for {}", text_of_who(host), figures, text_of_causes(host.slow));
}

}  // namespace

std::vector<std::string> slow_host_lines(const std::vector<RankPeaks>& peaks, const std::vector<RankInfo>& ranks) {
  std::vector<std::string> lines;
  for (const SlowHost& host : slow_hosts(peaks, ranks)) lines.push_back(line_of(host, peaks));
  return lines;
}

}  // namespace cpbench
