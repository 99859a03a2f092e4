#include "result/table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <utility>

#include "result/tool.hpp"

namespace cpbench {
namespace {

std::string check_of(const PointRecord& point) {
  if (point.status == Status::kInvalid) return "FAILED";
  return point.validation ? "ok" : "off";
}

/// The throughput that may be shown: none of a wrong result.
const Throughput* shown_throughput(const PointRecord& point) {
  return point.status == Status::kOk && point.throughput ? &*point.throughput : nullptr;
}

auto time_cell(TimingSummary Timing::*which) {
  return [which](const PointRecord& p) { return p.timing ? milliseconds(((*p.timing).*which).median_s) : kNothing; };
}

/// The middle half of the samples, of their median.
std::string spread_cell(const PointRecord& point) {
  if (!point.timing || !(point.timing->full.median_s > 0)) return kNothing;
  const TimingSummary& full = point.timing->full;
  if (full.samples_s.size() < 2) return kNothing;  // one says nothing of others
  return percent((full.q3_s - full.q1_s) / full.median_s);
}

/// Without a message nothing is exposed: the difference of the medians is noise.
std::string exposed_cell(const PointRecord& point) {
  return point.sends() ? milliseconds(point.comm->exposed_s) : kNothing;
}

auto percent_cell(std::optional<double> Throughput::*which) {
  return [which](const PointRecord& p) {
    const Throughput* throughput = shown_throughput(p);
    return throughput != nullptr ? percent(throughput->*which) : kNothing;
  };
}

std::string tflops_cell(const PointRecord& point) {
  const Throughput* throughput = shown_throughput(point);
  if (throughput == nullptr || !throughput->tflops_per_rank) return kNothing;
  return fmt::format("{:.4g}", *throughput->tflops_per_rank);
}

}  // namespace

TableFigures measured_figures() {
  return {
      "times: median over iterations of the slowest rank; spread: its middle half; compute, comm: the same programs "
      "without the other",
      {
          {"time", "ms", 9, time_cell(&Timing::full)},
          {"spread", "%", 6, spread_cell},
          {"compute", "only ms", 9, time_cell(&Timing::compute_only)},
          {"comm", "only ms", 9, time_cell(&Timing::comm_only)},
          {"TFLOP/s", "per rank", 8, tflops_cell},
          {"of comp", "%", 7, percent_cell(&Throughput::fraction_of_compute_only)},
          {"of peak", "%", 7, percent_cell(&Throughput::fraction_of_peak)},
          {"exposed", "ms", 8, exposed_cell},
          {"check", "", -6, check_of},
      }};
}

Table::Table(const std::vector<std::string>& extra_axes, TableFigures figures)
    : identity_(case_columns(extra_axes)), figures_(std::move(figures)) {}

std::string Table::header(const Header& header, const TableContext& context) const {
  std::set<std::string> hosts;
  for (const RankInfo& rank : header.ranks) hosts.insert(rank.host);
  const Tool& tool = header.tool;
  std::string text =
      fmt::format("# cpbench {}, {} build, {}\n", revision_text(tool.version, tool.git, tool.dirty.value_or(false)),
                  tool.build.type, tool.build.compiler);
  if (header.environment.mpi) text += fmt::format("# {}\n", *header.environment.mpi);
  text += fmt::format("# ranks {}, hosts {}, threads per rank {}, backend {}, transport {}\n", header.ranks.size(),
                      hosts.size(), context.threads, context.backend, context.transport);
  for (const RankInfo& rank : header.ranks) {
    text += fmt::format("#   rank {:>3} on {} (local rank {}), cpus {}: {}\n", rank.rank, rank.host, rank.local_rank,
                        rank.cpus, rank.uuid ? rank.device + " " + *rank.uuid : rank.device);
  }
  return text + heading(context.axes);
}

std::string Table::heading(const nlohmann::ordered_json& axes) const {
  const std::string of_case = axes.empty() ? "" : fmt::format("# case: {}\n", text_of_axes(axes));
  return fmt::format("{}# {}\n#\n{}", of_case, figures_.legend, column_names(identity_, figures_.columns));
}

std::vector<Column<PointRecord>> Table::columns() const {
  std::vector<Column<PointRecord>> columns;
  for (const auto& column : identity_) {
    columns.push_back({column.name, column.unit, column.width,
                       [cell = column.cell](const PointRecord& point) { return cell(point.axes); }});
  }
  columns.insert(columns.end(), figures_.columns.begin(), figures_.columns.end());
  return columns;
}

std::string Table::row(const PointRecord& point) const {
  const std::string identity = " " + cells(identity_, point.axes);
  if (!point.timing && point.status != Status::kOk) {
    return fmt::format("{} {}: {}\n", identity, name_of(point.status), point.reason);
  }
  std::string text = without_trailing_spaces(identity + cells(figures_.columns, point)) + "\n";
  if (point.status != Status::kOk) text += fmt::format("#   {}: {}\n", name_of(point.status), point.reason);
  return text;
}

std::vector<std::string> Table::verdict(std::span<const PointRecord> points, std::size_t not_begun) {
  std::array<int, kStatuses> counts = {};
  int unchecked = 0;
  for (const PointRecord& point : points) {
    ++counts[static_cast<std::size_t>(point.status)];
    if (point.status == Status::kOk && !point.validation && !point.plan) ++unchecked;
  }
  std::vector<std::string> parts;
  for (int i = 0; i < kStatuses; ++i) {
    const int count = counts[static_cast<std::size_t>(i)];
    if (count > 0) parts.push_back(fmt::format("{} {}", count, name_of(static_cast<Status>(i))));
  }
  if (not_begun > 0) parts.push_back(fmt::format("{} not begun", not_begun));
  const auto count_of = [&](Status status) { return counts[static_cast<std::size_t>(status)]; };
  const bool planned = are_planned(points);
  std::string verdict = planned ? "PROVED" : "PASSED";
  if (unchecked > 0) verdict = fmt::format("NOT CHECKED: {} of the results", unchecked);
  if (count_of(Status::kOk) == 0) verdict = planned ? "NOTHING PROVED" : "NOTHING MEASURED";
  const int ended = count_of(Status::kFailed) + count_of(Status::kTimeout) + count_of(Status::kInterrupted);
  if (ended > 0 || not_begun > 0) verdict = "FAILED: some points did not finish";
  if (count_of(Status::kInvalid) > 0) verdict = fmt::format("FAILED: {} invalid", count_of(Status::kInvalid));
  return {fmt::format("points {}: {}", points.size() + not_begun, fmt::join(parts, ", ")), "verdict: " + verdict};
}

std::string Table::footer(std::span<const PointRecord> points, std::size_t not_begun) {
  return fmt::format("#\n# {}\n", fmt::join(verdict(points, not_begun), "\n# "));
}

std::size_t Table::width() const { return 1 + width_of(identity_) + width_of(figures_.columns); }

}  // namespace cpbench
