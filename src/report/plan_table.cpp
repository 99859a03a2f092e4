#include "report/plan_table.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "report/configuration.hpp"
#include "report/rivals.hpp"
#include "support/counted.hpp"

namespace cpbench {
namespace {

bool have(std::span<const PointRecord> points, std::string_view figure) {
  return std::ranges::any_of(points, [&](const PointRecord& p) { return find_figure(figure).of(p).has_value(); });
}

/// Of a figure, where it is known.
Column<PointRecord> figure_column(std::string name, std::string unit, int width, std::string_view figure,
                                  std::string (*text)(double)) {
  return {std::move(name), std::move(unit), width, [&of = find_figure(figure), text](const PointRecord& point) {
            const std::optional<double> value = of.of(point);
            return value ? text(*value) : kNothing;
          }};
}

std::string four_digits(double value) { return fmt::format("{:.4g}", value); }
std::string three_decimals(double value) { return fmt::format("{:.3f}", value); }

std::string fits_cell(const PointRecord& point) { return point.fits() ? "yes" : "NO"; }

std::string note_on_close_times(const std::vector<Configuration>& ranked) {
  const auto end = std::ranges::find_if(ranked, [&](const Configuration& other) {
    return !is_rival(other) || are_told_apart(time_of(ranked.front()), time_of(other));
  });
  const auto count = end - ranked.begin();
  if (count < 2 || !(time_of(ranked.front()) > 0)) return {};
  return fmt::format(
      "# the first {} differ by {}%, less than an estimate can tell: the less communication, the safer\n", count,
      percent(time_of(*(end - 1)) / time_of(ranked.front()) - 1));
}

}  // namespace

TableFigures planned_figures(std::span<const PointRecord> points) {
  const bool are_estimated = have(points, kTimeFigure);
  TableFigures figures{
      .legend = "every program proved; memory, sent: of the rank with most; balance: mean / largest FLOPs",
      .columns = {}};
  std::vector<Column<PointRecord>>& columns = figures.columns;
  if (are_estimated) {
    figures.legend =
        "every program proved; times: estimated, of the slowest rank; compute, comm: the same programs without "
        "the other; memory, sent: of the rank with most";
    columns = {figure_column("time", "ms", 9, kTimeFigure, milliseconds),
               figure_column("compute", "only ms", 9, "compute_only_s", milliseconds),
               figure_column("comm", "only ms", 9, kCommunicationFigure, milliseconds),
               figure_column("exposed", "ms", 9, "exposed_s", milliseconds),
               figure_column("TFLOP/s", "per rank", 8, kRateFigure, four_digits)};
  }
  columns.push_back(figure_column("memory", "per rank", 11, "planned_bytes", bytes_text));
  const auto is_known = [](const PointRecord& point) { return point.plan && point.plan->available_bytes; };
  if (std::ranges::any_of(points, is_known)) columns.push_back({"fits", "", -4, fits_cell});
  columns.push_back(figure_column("sent", "per rank", 11, "bytes_sent_per_rank", bytes_text));
  if (have(points, "bytes_between_nodes")) {
    columns.push_back(figure_column("between", "nodes", 11, "bytes_between_nodes", bytes_text));
  }
  if (!are_estimated) columns.push_back(figure_column("balance", "", 7, "load_balance", three_decimals));
  return figures;
}

std::string planned_rows(const Table& table, std::span<const PointRecord> points) {
  const bool are_estimated = have(points, kTimeFigure);
  std::string text;
  for (auto& [work, members] : groups_of(points, are_estimated ? axes_of_work() : std::vector<std::string>())) {
    if (!text.empty()) text += "#\n";
    rank(members);
    for (const Configuration& configuration : members) {
      for (const PointRecord* point : configuration.points) text += table.row(*point);
    }
    text += note_on_close_times(members);
  }
  return text;
}

}  // namespace cpbench
