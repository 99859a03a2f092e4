// Points made by hand, and what people read of a sheet.
#pragma once

#include <string>
#include <vector>

#include "compare/launches.hpp"
#include "report/sheet.hpp"

namespace cpbench {

inline nlohmann::ordered_json axes(const std::string& algo, int seq_len, const std::string& shard = "zigzag") {
  return {{"algo", algo}, {"shard", shard}, {"seq_len", seq_len}, {"mask", "causal"}};
}

/// Whose iterations took these times; half as many TFLOP/s as the median has ms.
inline PointRecord point_of(const nlohmann::ordered_json& axes, const std::vector<double>& times) {
  PointRecord point = measured_point(axes, 1);
  point.timing->full = summarize(times);
  point.throughput = Throughput{.tflops_per_rank = point.timing->full.median_s * 500};
  return point;
}

/// One that was planned to take this time, and so much memory.
inline PointRecord planned_point_of(const nlohmann::ordered_json& axes, double full_s, std::int64_t memory_bytes = 5) {
  PointRecord point = point_of(axes, {full_s});
  point.memory = MemoryFigures{.planned_bytes = memory_bytes, .peak_bytes = {}};
  point.plan = PlanFigures{.load_balance = 0.5, .bytes_between_nodes = {}, .available_bytes = {}};
  return point;
}

/// Likewise, of a plan that estimates no times.
inline PointRecord untimed_point_of(const nlohmann::ordered_json& axes, std::int64_t memory_bytes) {
  PointRecord point = planned_point_of(axes, 1, memory_bytes);
  point.timing.reset();
  point.throughput.reset();
  return point;
}

/// A line for each row, its cells' texts joined by bars.
inline std::vector<std::string> rows_of(const Sheet& sheet) {
  std::vector<std::string> rows;
  for (const auto& row : sheet.rows) {
    std::string line;
    for (const Cell& cell : row) line += (line.empty() ? "" : "|") + cell.text;
    rows.push_back(line);
  }
  return rows;
}

inline std::vector<std::string> names_of(const Sheet& sheet) {
  std::vector<std::string> names;
  for (const SheetColumn& column : sheet.columns) names.push_back(column.name);
  return names;
}

using Lines = std::vector<std::string>;

}  // namespace cpbench
