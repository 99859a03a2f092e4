#include "result/findings.hpp"

#include <fmt/format.h>

#include <array>
#include <span>

#include "links/outliers.hpp"
#include "result/slow_hosts.hpp"
#include "support/counted.hpp"

namespace cpbench {
namespace {

constexpr std::size_t kMostNamed = 10;

std::string text_of_way(const Pair& pair, const std::vector<RankInfo>& ranks) {
  const auto host = [&](int rank) { return ranks[static_cast<std::size_t>(rank)].host; };
  return fmt::format("rank {} on {} to rank {} on {}", pair.a, host(pair.a), pair.b, host(pair.b));
}

std::string text_of_slow(const SlowLink& slow, const std::vector<RankInfo>& ranks) {
  const auto& [pair, link, figures] = slow.of;
  std::string text = fmt::format("slow {} link: {}:", name_of(link), text_of_way(pair, ranks));
  if (slow.bandwidth_of_median) {
    text +=
        fmt::format(" {:.3g} GB/s, {:.2f} of the median", *figures.bytes_per_second / 1e9, *slow.bandwidth_of_median);
  }
  if (slow.latency_of_median) {
    text += fmt::format("{} {:.3g} us, {:.1f} times the median", slow.bandwidth_of_median ? ";" : "",
                        figures.latency_s * 1e6, *slow.latency_of_median);
  }
  return text;
}

std::string text_of_corrupt(const Corruption& found, const std::vector<RankInfo>& ranks) {
  return fmt::format("corrupt link: {}: wrong bytes in {} of {}, the first at byte {}", text_of_way(found.pair, ranks),
                     counted(found.times, "message"), bytes_text(static_cast<double>(found.bytes)), found.first_wrong);
}

template <typename Item, typename TextOf>
void append(std::vector<Finding>& findings, Finding::Kind kind, const std::vector<Item>& items, const char* what,
            TextOf&& text_of) {
  const std::size_t named = std::min(items.size(), kMostNamed);
  for (const Item& item : std::span(items).first(named)) findings.push_back({kind, text_of(item)});
  if (named == items.size()) return;
  findings.push_back({kind, fmt::format("and {} more {}", items.size() - named, what)});
}

}  // namespace

std::string_view name_of(Finding::Kind kind) {
  constexpr std::array<std::string_view, 5> kNames = {"cores", "device", "slow-rank", "slow-link", "corrupt-link"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::vector<Finding> findings_of(const std::vector<RankPeaks>& peaks, const std::vector<RankInfo>& ranks) {
  std::vector<Finding> findings;
  append(findings, Finding::Kind::kSlowRank, slow_host_lines(peaks, ranks), "hosts with slow ranks",
         [](const std::string& line) { return line; });
  return findings;
}

std::vector<Finding> findings_of(const LinkReport& links, const std::vector<RankInfo>& ranks) {
  std::vector<Finding> findings;
  append(findings, Finding::Kind::kCorruptLink, links.corruptions, "sizes of messages that arrive wrong",
         [&](const Corruption& found) { return text_of_corrupt(found, ranks); });
  append(findings, Finding::Kind::kSlowLink, slow_links(links.pairs), "slow links",
         [&](const SlowLink& slow) { return text_of_slow(slow, ranks); });
  return findings;
}

}  // namespace cpbench
