#include "result/table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <string_view>

#include "result/sha256.hpp"

namespace cpbench {
namespace {

using Axes = nlohmann::ordered_json;
constexpr const char* kNothing = "-";

/// `1000,3096`; of a long list the beginning, its length and a digest: `1000,30,...16:3f9a2c`.
std::string text_of_list(const Axes& list) {
  constexpr std::size_t kLongest = 24, kBeginning = 8, kDigest = 6;
  std::string text = list.dump();
  text = text.substr(1, text.size() - 2);
  if (text.size() <= kLongest) return text;
  const std::size_t end = text.find(',', kBeginning);
  return fmt::format("{},...{}:{}", text.substr(0, end), list.size(), sha256_of(text).substr(0, kDigest));
}

std::string text_of_axis(const Axes& axes, const std::string& name) {
  const auto found = axes.find(name);
  if (found == axes.end() || found->is_null()) return kNothing;
  if (found->is_string()) return found->get<std::string>();
  if (found->is_array()) return text_of_list(*found);
  if (found->is_number_float()) return fmt::format("{:.4g}", found->get<double>());
  if (found->is_boolean()) return found->get<bool>() ? "on" : "off";
  return found->dump();
}

std::int64_t integer_of_axis(const Axes& axes, const std::string& name) {
  const auto found = axes.find(name);
  return found != axes.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

/// What was asked for of an impossible grid: `8 (u=3 w=4)`.
std::string asked_grid(std::int64_t cp, std::int64_t ulysses, std::int64_t window) {
  std::vector<std::string> asked;
  if (ulysses > 0) asked.push_back(fmt::format("u={}", ulysses));
  if (window > 0) asked.push_back(fmt::format("w={}", window));
  return asked.empty() ? std::to_string(cp) : fmt::format("{} ({})", cp, fmt::join(asked, " "));
}

/// `8 (2x2x2)`: cp_size, then Ulysses places, windows and ring members per window.
std::string grid_of(const Axes& axes) {
  const std::int64_t cp = integer_of_axis(axes, "cp_size"), ulysses = integer_of_axis(axes, "ulysses_degree"),
                     window = integer_of_axis(axes, "window_size");
  if (cp < 1) return kNothing;
  if (ulysses < 1 || window < 1 || cp % (ulysses * window) != 0) return asked_grid(cp, ulysses, window);
  const bool plain_ring = window == 1 && text_of_axis(axes, "algo") != "double-ring";
  const std::int64_t ring = cp / ulysses, inner = plain_ring ? ring : window;
  return fmt::format("{} ({}x{}x{})", cp, ulysses, ring / inner, inner);
}

/// Of the rank that holds most.
std::string tokens_per_rank(const Axes& axes) {
  const std::int64_t tokens = integer_of_axis(axes, "seq_len"), ranks = integer_of_axis(axes, "cp_size");
  return tokens < 1 || ranks < 1 ? kNothing : std::to_string((tokens + ranks - 1) / ranks);
}

/// Of a second and more the decimals would be noise, and leave the column.
std::string milliseconds(double seconds) {
  return fmt::format("{:.{}f}", seconds * 1e3, std::abs(seconds) < 1 ? 3 : 1);
}

std::string percent(const std::optional<double>& fraction) {
  return fraction ? fmt::format("{:.1f}", *fraction * 100) : kNothing;
}

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
  return percent((full.q3_s - full.q1_s) / full.median_s);
}

/// Without a message nothing is exposed: the difference of the medians is noise.
std::string exposed_cell(const PointRecord& point) {
  return point.comm && point.comm->bytes_sent_per_rank > 0 ? milliseconds(point.comm->exposed_s) : kNothing;
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

/// At least one space between cells.
template <typename Columns, typename CellText>
std::string line_of(const Columns& columns, CellText&& text_of_cell) {
  std::string line;
  for (const auto& column : columns) {
    const std::string text = text_of_cell(column);
    line += column.width < 0 ? fmt::format(" {:<{}}", text, -column.width) : fmt::format(" {:>{}}", text, column.width);
  }
  return line;
}

std::string without_trailing_spaces(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

constexpr std::array<std::string_view, 8> kAxesWithColumns = {"algo",  "cp_size", "ulysses_degree", "window_size",
                                                              "shard", "mask",    "seq_len",        "pass"};

/// The distinct values of an axis that has no column of its own.
struct AxisWithoutColumn {
  std::string name;
  std::vector<Axes> values;
};

/// In the order of the first case that has them.
std::vector<AxisWithoutColumn> axes_without_columns(std::span<const Axes> cases) {
  std::vector<AxisWithoutColumn> found;
  for (const Axes& axes : cases) {
    for (const auto& item : axes.items()) {
      if (std::ranges::count(kAxesWithColumns, item.key()) > 0) continue;
      auto axis = std::ranges::find(found, item.key(), &AxisWithoutColumn::name);
      if (axis == found.end()) axis = found.insert(found.end(), {item.key(), {}});
      if (std::ranges::count(axis->values, item.value()) == 0) axis->values.push_back(item.value());
    }
  }
  return found;
}

/// `heads 32, kv_heads 8, docs 1000,3096`
std::string text_of_axes(const Axes& axes) {
  std::vector<std::string> parts;
  for (const auto& item : axes.items()) parts.push_back(item.key() + " " + text_of_axis(axes, item.key()));
  return fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace

Table::Table(const std::vector<std::string>& extra_axes)
    : identity_(identity_columns(extra_axes)), figures_(figure_columns()) {}

Table::Columns Table::identity_columns(const std::vector<std::string>& extra_axes) {
  const auto axis = [](std::string name) {
    return [name = std::move(name)](const PointRecord& p) { return text_of_axis(p.axes, name); };
  };
  Columns columns = {
      {"algo", "", -11, axis("algo")},
      {"cp (u x o x i)", "", -14, [](const PointRecord& p) { return grid_of(p.axes); }},
      {"shard", "", -11, axis("shard")},
      {"mask", "", -15, axis("mask")},
      {"seq_len", "tokens", 8, axis("seq_len")},
      {"per rank", "tokens", 8, [](const PointRecord& p) { return tokens_per_rank(p.axes); }},
      {"pass", "", -7, axis("pass")},
  };
  for (const std::string& name : extra_axes) {
    columns.push_back({name, "", -std::max(8, static_cast<int>(name.size())), axis(name)});
  }
  return columns;
}

Table::Columns Table::figure_columns() {
  return {
      {"time", "ms", 9, time_cell(&Timing::full)},
      {"spread", "%", 6, spread_cell},
      {"compute", "only ms", 9, time_cell(&Timing::compute_only)},
      {"comm", "only ms", 9, time_cell(&Timing::comm_only)},
      {"TFLOP/s", "per rank", 8, tflops_cell},
      {"of comp", "%", 7, percent_cell(&Throughput::fraction_of_compute_only)},
      {"of peak", "%", 7, percent_cell(&Throughput::fraction_of_peak)},
      {"exposed", "ms", 8, exposed_cell},
      {"check", "", -6, check_of},
  };
}

std::string Table::header(const Header& header, const TableContext& context) const {
  std::set<std::string> hosts;
  for (const RankInfo& rank : header.ranks) hosts.insert(rank.host);
  const Tool& tool = header.tool;
  std::string text = fmt::format("# cpbench {} (git {}{}), {} build, {}\n", tool.version, tool.git.value_or("unknown"),
                                 tool.dirty.value_or(false) ? ", dirty" : "", tool.build.type, tool.build.compiler);
  if (header.environment.mpi) text += fmt::format("# {}\n", *header.environment.mpi);
  text += fmt::format("# ranks {}, hosts {}, threads per rank {}, backend {}, transport {}\n", header.ranks.size(),
                      hosts.size(), context.threads, context.backend, context.transport);
  for (const RankInfo& rank : header.ranks) {
    text += fmt::format("#   rank {:>3} on {} (local rank {}), cpus {}: {}\n", rank.rank, rank.host, rank.local_rank,
                        rank.cpus, rank.uuid ? rank.device + " " + *rank.uuid : rank.device);
  }
  if (!context.axes.empty()) text += fmt::format("# case: {}\n", text_of_axes(context.axes));
  text +=
      "# times: median over iterations of the slowest rank; spread: its middle half; compute, comm: the same programs "
      "without the other\n#\n";
  const auto add_line = [&](auto&& part) {
    text += without_trailing_spaces("#" + line_of(identity_, part) + line_of(figures_, part)) + "\n";
  };
  add_line([](const Column& column) { return column.name; });
  add_line([](const Column& column) { return column.unit; });
  return text;
}

std::string Table::row(const PointRecord& point) const {
  const auto cell = [&](const Column& column) { return column.cell(point); };
  const std::string identity = " " + line_of(identity_, cell);
  if (!point.timing && point.status != Status::kOk) {
    return fmt::format("{} {}: {}\n", identity, name_of(point.status), point.reason);
  }
  std::string text = without_trailing_spaces(identity + line_of(figures_, cell)) + "\n";
  if (point.status != Status::kOk) text += fmt::format("#   {}: {}\n", name_of(point.status), point.reason);
  return text;
}

std::string Table::footer(std::span<const PointRecord> points) {
  std::array<int, kStatuses> counts = {};
  int unchecked = 0;
  for (const PointRecord& point : points) {
    ++counts[static_cast<std::size_t>(point.status)];
    if (point.status == Status::kOk && !point.validation) ++unchecked;
  }
  std::vector<std::string> parts;
  for (int i = 0; i < kStatuses; ++i) {
    const int count = counts[static_cast<std::size_t>(i)];
    if (count > 0) parts.push_back(fmt::format("{} {}", count, name_of(static_cast<Status>(i))));
  }
  const auto count_of = [&](Status status) { return counts[static_cast<std::size_t>(status)]; };
  std::string verdict = "PASSED";
  if (unchecked > 0) verdict = fmt::format("NOT CHECKED: {} of the results", unchecked);
  if (count_of(Status::kOk) == 0) verdict = "NOTHING MEASURED";
  if (count_of(Status::kFailed) + count_of(Status::kTimeout) > 0) verdict = "FAILED: some points did not finish";
  if (count_of(Status::kInvalid) > 0) verdict = fmt::format("FAILED: {} invalid", count_of(Status::kInvalid));
  return fmt::format("#\n# points {}: {}\n# verdict: {}\n", points.size(), fmt::join(parts, ", "), verdict);
}

std::size_t Table::width() const {
  const auto empty = [](const Column&) { return std::string(); };
  return 1 + line_of(identity_, empty).size() + line_of(figures_, empty).size();
}

std::vector<std::string> extra_axes_of(std::span<const nlohmann::ordered_json> cases) {
  std::vector<std::string> names;
  for (const AxisWithoutColumn& axis : axes_without_columns(cases)) {
    if (axis.values.size() > 1) names.push_back(axis.name);
  }
  return names;
}

nlohmann::ordered_json shared_axes_of(std::span<const nlohmann::ordered_json> cases) {
  Axes shared;
  for (const AxisWithoutColumn& axis : axes_without_columns(cases)) {
    if (axis.values.size() == 1) shared[axis.name] = axis.values.front();
  }
  return shared;
}

}  // namespace cpbench
