#include "result/doctor_figures.hpp"

#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "result/peaks.hpp"

namespace cpbench {
namespace {

using Axes = nlohmann::ordered_json;

constexpr std::string_view kMicroseconds = "us";

/// Of figures in `us` the time itself, of rates that of a unit.
double time_of_figure(std::string_view unit, double figure) {
  return unit == kMicroseconds ? figure * 1e-6 : 1 / figure;
}

PointRecord figure_of(std::string_view name, std::string_view unit, const Axes& measured_by,
                      const std::optional<double>& value) {
  PointRecord figure;
  figure.id = fmt::format("{} in {}", name, unit);
  figure.axes = {{"figure", name}, {"unit", unit}};
  figure.axes.update(measured_by);
  if (!value) {
    figure.reason = "too noisy for a figure";
    return figure;
  }
  const double seconds = time_of_figure(unit, *value);
  if (!std::isfinite(seconds) || seconds <= 0) throw std::runtime_error(fmt::format("{} is not above 0", figure.id));
  const TimingSummary none = summarize({0});
  figure.timing = {.full = summarize({seconds}), .compute_only = none, .comm_only = none};
  return figure;
}

std::optional<double> value_at(const Json& json, const char* key, double scale) {
  const Json& value = json.at(key);
  return value.is_null() ? std::nullopt : std::optional(value.get<double>() * scale);
}

void add_peaks(std::vector<PointRecord>& figures, const Json& peaks, const Axes& measured_by) {
  const bool has_spread = peaks.contains("spread");  // not in a record of an earlier program, nor the CPU time
  for (const Peak peak : kPeaks) {
    if (peak == Peak::kCpuTime && !has_spread) continue;
    const PeakName& name = name_of(peak);
    const double scale = name.per_key_unit / name.per_unit;
    figures.push_back(figure_of(name.name, name.unit, measured_by, value_at(peaks, name.key, scale)));
    if (!has_spread || measured_by.at("ranks") == 1) continue;
    figures.push_back(figure_of(fmt::format("lowest {}", name.name), name.unit, measured_by,
                                value_at(peaks.at("spread").at(name.key), "lowest", scale)));
  }
}

/// What is known of the bandwidths, or of the latencies, of some links.
std::optional<double> median_at(const std::vector<const Json*>& links, const char* key, double scale) {
  std::vector<double> values;
  for (const Json* link : links) {
    if (const std::optional<double> value = value_at(*link, key, scale)) values.push_back(*value);
  }
  return values.empty() ? std::nullopt : std::optional(median_of(std::move(values)));
}

void add_links(std::vector<PointRecord>& figures, const Json& links, Axes measured_by) {
  for (const char* key : {"ranks_per_node", "transport", "message_bytes", "emulate_link"}) {
    measured_by[key] = links.at(key);
  }
  const std::size_t first = figures.size();
  const auto add = [&](const std::string& name, const std::vector<const Json*>& alike) {
    figures.push_back(figure_of(name, "GB/s", measured_by, median_at(alike, "bandwidth", 1)));
    figures.push_back(figure_of(name, kMicroseconds, measured_by, median_at(alike, "latency_s", 1e6)));
  };
  for (const Json& pattern : links.at("patterns")) {
    const std::string kind = pattern.at("kind");
    add(kind == "all-to-all" ? kind : kind + " hop", {&pattern});
  }
  for (const char* kind : {"inner", "outer"}) {
    std::vector<const Json*> alike;
    for (const Json& pair : links.at("pairs")) {
      if (pair.at("kind") == kind) alike.push_back(&pair);
    }
    if (!alike.empty()) add(fmt::format("{} link by itself", kind), alike);
  }
  if (links.at("corrupt").empty()) return;
  const Json& corrupt = links.at("corrupt").front();
  for (std::size_t i = first; i < figures.size(); ++i) {
    figures[i].status = Status::kInvalid;
    figures[i].reason = fmt::format("the link of rank {} to rank {} corrupts data", corrupt.at("from").get<int>(),
                                    corrupt.at("to").get<int>());
  }
}

}  // namespace

std::vector<PointRecord> figures_of_doctor(const Json& record) {
  std::vector<PointRecord> figures;
  const Axes ranks = {{"ranks", record.at("ranks").size()}};
  if (record.contains("peaks")) add_peaks(figures, record.at("peaks"), ranks);
  if (record.contains("links")) {
    Axes measured_by = ranks;
    measured_by["backend"] = record.at("devices").at("backend");
    add_links(figures, record.at("links"), std::move(measured_by));
  }
  return figures;
}

double figure_of_time(const Axes& axes, double seconds) {
  return axes.value("unit", "") == kMicroseconds ? seconds * 1e6 : 1 / seconds;
}

}  // namespace cpbench
