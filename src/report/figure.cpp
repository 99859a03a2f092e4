#include "report/figure.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "support/error.hpp"
#include "support/names.hpp"

namespace cpbench {
namespace {

using Value = std::optional<double>;

template <TimingSummary Timing::*which>
Value median_time(const PointRecord& point) {
  return point.is_measured() ? Value(((*point.timing).*which).median_s) : std::nullopt;
}

template <Value Throughput::*which>
Value throughput(const PointRecord& point) {
  return point.is_measured() && point.throughput ? (*point.throughput).*which : std::nullopt;
}

/// Without a message what is exposed or hidden is noise.
template <auto which>
Value of_messages(const PointRecord& point) {
  return point.is_measured() && point.sends() ? Value((*point.comm).*which) : std::nullopt;
}

Value bytes_sent(const PointRecord& point) {
  return point.has_figures() && point.comm ? Value(static_cast<double>(point.comm->bytes_sent_per_rank)) : std::nullopt;
}

Value bytes_between_nodes(const PointRecord& point) {
  const bool is_known = point.has_figures() && point.plan && point.plan->bytes_between_nodes;
  return is_known ? Value(static_cast<double>(*point.plan->bytes_between_nodes)) : std::nullopt;
}

Value load_balance(const PointRecord& point) {
  return point.has_figures() && point.plan ? point.plan->load_balance : std::nullopt;
}

Value planned_bytes(const PointRecord& point) {
  return point.has_figures() && point.memory ? Value(static_cast<double>(point.memory->planned_bytes)) : std::nullopt;
}

Value peak_bytes(const PointRecord& point) {
  const bool is_known = point.is_measured() && point.memory && point.memory->peak_bytes;
  return is_known ? Value(static_cast<double>(*point.memory->peak_bytes)) : std::nullopt;
}

constexpr std::array kFigures = {
    Figure{kTimeFigure, "s", median_time<&Timing::full>},
    Figure{"compute_only_s", "s", median_time<&Timing::compute_only>},
    Figure{kCommunicationFigure, "s", median_time<&Timing::comm_only>},
    Figure{kRateFigure, "TFLOP/s", throughput<&Throughput::tflops_per_rank>},
    Figure{"iterations_per_s", "1/s", throughput<&Throughput::iterations_per_s>},
    Figure{"tokens_per_s", "tokens/s", throughput<&Throughput::tokens_per_s>},
    Figure{"fraction_of_compute_only", "of 1", throughput<&Throughput::fraction_of_compute_only>},
    Figure{"peak_tflops", "TFLOP/s", throughput<&Throughput::peak_tflops>},
    Figure{"fraction_of_peak", "of 1", throughput<&Throughput::fraction_of_peak>},
    Figure{"exposed_s", "s", of_messages<&CommFigures::exposed_s>},
    Figure{"overlap_efficiency", "of 1", of_messages<&CommFigures::overlap_efficiency>},
    Figure{"bus_bandwidth", "GB/s", of_messages<&CommFigures::bus_bandwidth>},
    Figure{"bytes_sent_per_rank", "bytes", bytes_sent},
    Figure{"bytes_between_nodes", "bytes", bytes_between_nodes},
    Figure{"planned_bytes", "bytes", planned_bytes},
    Figure{"peak_bytes", "bytes", peak_bytes},
    Figure{"load_balance", "of 1", load_balance},
};

}  // namespace

std::span<const Figure> all_figures() { return kFigures; }

const Figure& find_figure(std::string_view name) {
  const auto found = std::ranges::find(kFigures, name, &Figure::name);
  if (found != kFigures.end()) return *found;
  std::vector<std::string> names;
  for (const Figure& figure : kFigures) names.emplace_back(figure.name);
  refuse_unknown("figure", name, names);
}

void require_figure(std::string_view flag, const Figure& figure, std::span<const PointRecord> points) {
  const auto is_known = [&](const Figure& one) {
    return std::ranges::any_of(points, [&](const PointRecord& point) { return one.of(point).has_value(); });
  };
  std::vector<std::string_view> known;
  for (const Figure& one : kFigures) {
    if (is_known(one)) known.push_back(one.name);
  }
  if (known.empty() || is_known(figure)) return;  // of points that all came to nothing their reasons are shown
  const bool lacks_times = are_planned(points) && !is_known(find_figure(kTimeFigure));
  refuse("{}: no point has {}; there are {}{}", flag, figure.name, fmt::join(known, ", "),
         lacks_times ? " (times are estimated by plan --links --rate)" : "");
}

}  // namespace cpbench
