// The columns that say which point a row of a table is.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "result/columns.hpp"

namespace cpbench {

/// The axes in which two cases differ, whichever of JSON's types has them.
template <typename Axes>
std::vector<std::string> differing_axes(const Axes& a, const Axes& b) {
  std::vector<std::string> names;
  for (const auto& item : a.items()) {
    if (!b.contains(item.key()) || b.at(item.key()) != item.value()) names.push_back(item.key());
  }
  for (const auto& item : b.items()) {
    if (!a.contains(item.key())) names.push_back(item.key());
  }
  return names;
}

/// An axis, and its distinct values among the cases that have it, in their order.
struct OccurringAxis {
  std::string name;
  std::vector<nlohmann::ordered_json> values;
};
/// In the order of the first case that has them.
std::vector<OccurringAxis> occurring_axes(std::span<const nlohmann::ordered_json> cases);
/// The names of those with several values.
std::vector<std::string> varying_names(const std::vector<OccurringAxis>& axes);

/// Of a `case`: algorithm, grid, shard, mask, length, pass, and the `extra_axes`, see extra_axes_of.
std::vector<Column<nlohmann::ordered_json>> case_columns(const std::vector<std::string>& extra_axes);

/// Of a figure of `doctor` (doctor_figures.hpp): its name, its unit, and the `extra_axes`.
std::vector<Column<nlohmann::ordered_json>> doctor_columns(const std::vector<std::string>& extra_axes);

/// The axes that have no column of their own but differ between `cases`, in the order of the first case that has them.
std::vector<std::string> extra_axes_of(std::span<const nlohmann::ordered_json> cases);

/// The axes that have no column, neither of their own nor as one that differs, with the one value that they have.
nlohmann::ordered_json shared_axes_of(std::span<const nlohmann::ordered_json> cases);

/// Of one axis of a case: `on`, `0.08839`, of a long list the beginning, its length and a digest; `-` where it is
/// absent.
std::string text_of_axis(const nlohmann::ordered_json& axes, const std::string& name);

/// `heads 32, kv_heads 8, docs 1000,3096`
std::string text_of_axes(const nlohmann::ordered_json& axes);

}  // namespace cpbench
