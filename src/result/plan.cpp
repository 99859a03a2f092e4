#include "result/plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "result/case_columns.hpp"
#include "result/columns.hpp"
#include "support/counted.hpp"

namespace cpbench {
namespace {

std::vector<Column<PlanRecord>> estimate_columns(std::optional<std::int64_t> available_bytes) {
  const auto time = [](double TimeEstimate::*which) {
    return [which](const PlanRecord& p) { return milliseconds((*p.estimate).*which); };
  };
  const auto figures = [](const PlanRecord& p) { return throughput_of(timing_of(*p.estimate), p.work); };
  std::vector<Column<PlanRecord>> columns = {
      {"time", "ms", 9, time(&TimeEstimate::full_s)},
      {"compute", "only ms", 9, time(&TimeEstimate::compute_only_s)},
      {"comm", "only ms", 9, time(&TimeEstimate::comm_only_s)},
      {"exposed", "ms", 9, [](const PlanRecord& p) { return milliseconds(p.estimate->exposed_s()); }},
      {"TFLOP/s", "per rank", 8,
       [figures](const PlanRecord& p) { return fmt::format("{:.4g}", figures(p).tflops_per_rank.value_or(0)); }},
      {"of comp", "%", 7, [figures](const PlanRecord& p) { return percent(figures(p).fraction_of_compute_only); }},
      {"memory", "per rank", 11,
       [](const PlanRecord& p) { return bytes_text(static_cast<double>(peak_memory_of(p))); }},
  };
  if (available_bytes) {
    columns.push_back({"fits", "", -8, [available_bytes](const PlanRecord& p) -> std::string {
                         return peak_memory_of(p) > *available_bytes ? "TOO MUCH" : "yes";
                       }});
  }
  return columns;
}

}  // namespace

double load_balance_of(const PlanRecord& point) {
  double largest = 0;
  for (const PlannedRank& rank : point.ranks) largest = std::max(largest, static_cast<double>(rank.figures.flops));
  return largest > 0 ? static_cast<double>(point.work.flops) / point.work.ranks / largest : 1;
}

std::int64_t peak_memory_of(const PlanRecord& point) {
  return point.ranks.empty() ? 0 : std::ranges::max(point.ranks, {}, &PlannedRank::memory_bytes).memory_bytes;
}

Timing timing_of(const TimeEstimate& estimate) {
  return {.full = summarize({estimate.full_s}),
          .compute_only = summarize({estimate.compute_only_s}),
          .comm_only = summarize({estimate.comm_only_s})};
}

std::string estimates_table(std::span<const PlanRecord> points, std::optional<std::int64_t> available_bytes) {
  std::vector<const PlanRecord*> by_time;
  std::vector<nlohmann::ordered_json> cases;
  for (const PlanRecord& point : points) {
    if (!point.estimate) continue;
    by_time.push_back(&point);
    cases.push_back(point.axes);
  }
  if (by_time.empty()) return {};
  std::ranges::stable_sort(by_time, {}, [](const PlanRecord* p) { return p->estimate->full_s; });
  const auto identity = case_columns(extra_axes_of(cases));
  const auto figures = estimate_columns(available_bytes);
  std::string text = "# estimated times, fastest first\n" + column_names(identity, figures);
  for (const PlanRecord* point : by_time) {
    text += without_trailing_spaces(" " + cells(identity, point->axes) + cells(figures, *point)) + "\n";
  }
  return text;
}

}  // namespace cpbench
