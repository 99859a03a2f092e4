#include "result/case_columns.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "result/sha256.hpp"
#include "schedule/algorithm.hpp"

namespace cpbench {
namespace {

using Axes = nlohmann::ordered_json;

/// `1000,3096`; of a long list the beginning, its length and a digest: `1000,30,...16:3f9a2c`.
std::string text_of_list(const Axes& list) {
  constexpr std::size_t kLongest = 24, kBeginning = 8, kDigest = 6;
  std::string text = list.dump();
  text = text.substr(1, text.size() - 2);
  if (text.size() <= kLongest) return text;
  const std::size_t end = text.find(',', kBeginning);
  return fmt::format("{},...{}:{}", text.substr(0, end), list.size(), sha256_of(text).substr(0, kDigest));
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

/// Of an algorithm of this program: whether a window of one member is one, and not the whole ring.
bool always_has_windows(const std::string& algorithm) {
  return std::ranges::any_of(all_algorithms(), [&](const Algorithm* known) {
    return known->name == algorithm && known->ring == RingLevel::kWindows;
  });
}

/// `8 (2x2x2)`: cp_size, then Ulysses places, windows and ring members per window.
std::string grid_of(const Axes& axes) {
  const std::int64_t cp = integer_of_axis(axes, "cp_size"), ulysses = integer_of_axis(axes, "ulysses_degree"),
                     window = integer_of_axis(axes, "window_size");
  if (cp < 1) return kNothing;
  const bool divides = ulysses >= 1 && window >= 1 && cp % ulysses == 0 && cp / ulysses % window == 0;
  if (!divides) return asked_grid(cp, ulysses, window);
  const bool plain_ring = window == 1 && !always_has_windows(text_of_axis(axes, "algo"));
  const std::int64_t ring = cp / ulysses, inner = plain_ring ? ring : window;
  return fmt::format("{} ({}x{}x{})", cp, ulysses, ring / inner, inner);
}

/// Of the rank that holds most.
std::string tokens_per_rank(const Axes& axes) {
  const std::int64_t tokens = integer_of_axis(axes, "seq_len"), ranks = integer_of_axis(axes, "cp_size");
  return tokens < 1 || ranks < 1 ? kNothing : std::to_string((tokens - 1) / ranks + 1);
}

constexpr std::array<std::string_view, 10> kAxesWithColumns = {
    "algo", "cp_size", "ulysses_degree", "window_size", "shard", "mask", "seq_len", "pass", "figure", "unit"};

std::vector<OccurringAxis> axes_without_columns(std::span<const Axes> cases) {
  std::vector<OccurringAxis> axes = occurring_axes(cases);
  std::erase_if(axes, [](const OccurringAxis& axis) { return std::ranges::count(kAxesWithColumns, axis.name) > 0; });
  return axes;
}

Column<Axes> axis_column(const std::string& name, const char* unit, int width) {
  return {name, unit, width, [name](const Axes& axes) { return text_of_axis(axes, name); }};
}

std::vector<Column<Axes>> with_extra_axes(std::vector<Column<Axes>> columns,
                                          const std::vector<std::string>& extra_axes) {
  for (const std::string& name : extra_axes) {
    columns.push_back(axis_column(name, "", -std::max(8, static_cast<int>(name.size()))));
  }
  return columns;
}

}  // namespace

std::vector<std::string> varying_names(const std::vector<OccurringAxis>& axes) {
  std::vector<std::string> names;
  for (const OccurringAxis& axis : axes) {
    if (axis.values.size() > 1) names.push_back(axis.name);
  }
  return names;
}

std::vector<OccurringAxis> occurring_axes(std::span<const Axes> cases) {
  std::vector<OccurringAxis> found;
  for (const Axes& axes : cases) {
    for (const auto& item : axes.items()) {
      auto axis = std::ranges::find(found, item.key(), &OccurringAxis::name);
      if (axis == found.end()) axis = found.insert(found.end(), {item.key(), {}});
      if (std::ranges::count(axis->values, item.value()) == 0) axis->values.push_back(item.value());
    }
  }
  return found;
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

std::vector<Column<Axes>> case_columns(const std::vector<std::string>& extra_axes) {
  return with_extra_axes({axis_column("algo", "", -11),
                          {"cp (u x o x i)", "", -14, grid_of},
                          axis_column("shard", "", -11),
                          axis_column("mask", "", -15),
                          axis_column("seq_len", "tokens", 8),
                          {"per rank", "tokens", 8, tokens_per_rank},
                          axis_column("pass", "", -7)},
                         extra_axes);
}

std::vector<Column<Axes>> doctor_columns(const std::vector<std::string>& extra_axes) {
  return with_extra_axes({axis_column("figure", "", -23), axis_column("unit", "", -7)}, extra_axes);
}

std::vector<std::string> extra_axes_of(std::span<const nlohmann::ordered_json> cases) {
  return varying_names(axes_without_columns(cases));
}

nlohmann::ordered_json shared_axes_of(std::span<const nlohmann::ordered_json> cases) {
  Axes shared;
  for (const OccurringAxis& axis : axes_without_columns(cases)) {
    if (axis.values.size() == 1) shared[axis.name] = axis.values.front();
  }
  return shared;
}

std::string text_of_axes(const Axes& axes) {
  std::vector<std::string> parts;
  for (const auto& item : axes.items()) parts.push_back(item.key() + " " + text_of_axis(axes, item.key()));
  return fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace cpbench
