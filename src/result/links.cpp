#include "result/links.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <optional>
#include <vector>

#include "links/outliers.hpp"
#include "result/columns.hpp"
#include "support/counted.hpp"
#include "transport/link_model.hpp"

namespace cpbench {
namespace {

struct LinkRow {
  std::string what;
  std::optional<Spread> bytes_per_second;
  Spread latency_s;
  bool has_spread;  ///< else all are the median
};

LinkRow row_of(const PatternReport& report) {
  const auto& [bandwidth, latency] = report.figures;
  const std::string kind = report.link == Link::kAllToAll ? "all-to-all" : fmt::format("{} hop", name_of(report.link));
  LinkRow row{.what = fmt::format("{} of {}", kind, counted(report.ranks, "rank")),
              .bytes_per_second = {},
              .latency_s = {latency, latency, latency},
              .has_spread = false};
  if (bandwidth) row.bytes_per_second = Spread{*bandwidth, *bandwidth, *bandwidth};
  return row;
}

LinkRow row_of(const LinkSpread& spread, Link link) {
  return {.what = fmt::format("{}, each by itself", counted(spread.links, fmt::format("{} link", name_of(link)))),
          .bytes_per_second = spread.bytes_per_second,
          .latency_s = spread.latency_s,
          .has_spread = true};
}

std::vector<LinkRow> rows_of(const LinkReport& report) {
  std::vector<LinkRow> rows;
  for (const PatternReport& pattern : report.patterns) rows.push_back(row_of(pattern));
  for (const Link link : {Link::kInner, Link::kOuter}) {
    const std::optional<LinkSpread> spread = spread_of_links(report.pairs, link);
    if (spread) rows.push_back(row_of(*spread, link));
  }
  return rows;
}

std::vector<Column<LinkRow>> link_columns() {
  const auto bandwidth = [](double Spread::*which, bool is_median) {
    return [which, is_median](const LinkRow& row) -> std::string {
      if (!row.bytes_per_second || (!row.has_spread && !is_median)) return kNothing;
      return fmt::format("{:.4g}", (*row.bytes_per_second).*which / 1e9);
    };
  };
  const auto latency = [](double Spread::*which, bool is_median) {
    return [which, is_median](const LinkRow& row) -> std::string {
      if (!row.has_spread && !is_median) return kNothing;
      return fmt::format("{:.4g}", row.latency_s.*which * 1e6);
    };
  };
  return {{"links", "", -32, [](const LinkRow& row) { return row.what; }},
          {"median", "GB/s", 9, bandwidth(&Spread::median, true)},
          {"lowest", "GB/s", 9, bandwidth(&Spread::lowest, false)},
          {"highest", "GB/s", 9, bandwidth(&Spread::highest, false)},
          {"median", "us", 9, latency(&Spread::median, true)},
          {"lowest", "us", 9, latency(&Spread::lowest, false)},
          {"highest", "us", 9, latency(&Spread::highest, false)}};
}

/// More digits than three would not come out again.
double rounded(double value) { return std::strtod(fmt::format("{:.3g}", value).c_str(), nullptr); }

Json json_of(const LinkFigures& figures) {
  const auto& bandwidth = figures.bytes_per_second;
  return {{"bandwidth", json_of_figure(bandwidth ? std::optional(*bandwidth / 1e9) : std::nullopt)},
          {"latency_s", json_of_figure(figures.latency_s)}};
}

Json json_of(const Pair& pair) { return {{"from", pair.a}, {"to", pair.b}}; }

Json json_of(const PatternReport& report) {
  Json json = {{"kind", name_of(report.link)}, {"ranks", report.ranks}};
  json.update(json_of(report.figures));
  json["times"] = Json::array();
  for (const auto& [bytes, min_s, median_s] : report.times) {
    json["times"].push_back(
        {{"bytes", bytes}, {"min_s", json_of_figure(min_s)}, {"median_s", json_of_figure(median_s)}});
  }
  return json;
}

Json json_of(const PairReport& report) {
  Json json = json_of(report.pair);
  json["kind"] = name_of(report.link);
  json.update(json_of(report.figures));
  return json;
}

Json json_of(const SlowLink& slow) {
  Json json = json_of(slow.of.pair);
  json["bandwidth_of_median"] = json_of_figure(slow.bandwidth_of_median);
  json["latency_of_median"] = json_of_figure(slow.latency_of_median);
  return json;
}

Json json_of(const Corruption& found) {
  Json json = json_of(found.pair);
  json.update({{"bytes", found.bytes}, {"first_wrong", found.first_wrong}, {"times", found.times}});
  return json;
}

template <typename Item>
Json json_of_list(const std::vector<Item>& items) {
  Json json = Json::array();
  for (const Item& item : items) json.push_back(json_of(item));
  return json;
}

}  // namespace

std::string links_table(const LinkReport& report) {
  const auto columns = link_columns();
  std::string text = column_names(columns);
  for (const LinkRow& row : rows_of(report)) text += without_trailing_spaces(" " + cells(columns, row)) + "\n";
  return text;
}

std::string plan_flags_of(const LinkReport& report) {
  LinkModel model;
  bool has_any = false;
  for (const PatternReport& pattern : report.patterns) {
    if (pattern.link == Link::kAllToAll) continue;  // plan has none where it knows of nodes
    const auto& [bandwidth, latency_s] = pattern.figures;
    if (!bandwidth) return "";
    model.speeds[static_cast<std::size_t>(pattern.link)] = {rounded(*bandwidth / 1e9) * 1e9,
                                                            rounded(latency_s * 1e6) * 1e-6};
    has_any = true;
  }
  if (!has_any || !report.corruptions.empty()) return "";
  return fmt::format("--ranks-per-node {} --links {}", report.options.ranks_per_node, to_string(model));
}

Json json_of(const LinkReport& report, const std::string& transport) {
  const std::string emulated = to_string(report.options.emulated), plan = plan_flags_of(report);
  const auto text = [](const std::string& value) { return value.empty() ? Json(nullptr) : Json(value); };
  return {{"transport", transport},
          {"emulate_link", text(emulated)},
          {"ranks_per_node", report.options.ranks_per_node},
          {"message_bytes", report.options.message_bytes},
          {"repetitions", report.repetitions},
          {"has_all_pairs", report.has_all_pairs},
          {"patterns", json_of_list(report.patterns)},
          {"pairs", json_of_list(report.pairs)},
          {"slow", json_of_list(slow_links(report.pairs))},
          {"corrupt", json_of_list(report.corruptions)},
          {"plan", text(plan)}};
}

}  // namespace cpbench
