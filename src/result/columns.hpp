// Lines of cells, for tables on stdout: two `#` lines of names and units above, rows without a `#`.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace cpbench {

/// A cell of what is not known, or does not apply.
inline constexpr const char* kNothing = "-";

/// Of a second and more the decimals would be noise, and leave the column.
inline std::string milliseconds(double seconds) {
  return fmt::format("{:.{}f}", seconds * 1e3, std::abs(seconds) < 1 ? 3 : 1);
}

inline std::string percent(const std::optional<double>& fraction) {
  return fraction ? fmt::format("{:.1f}", *fraction * 100) : kNothing;
}

/// What a table shows of each `Row`.
template <typename Row>
struct Column {
  std::string name, unit;
  int width;  ///< negative: aligned to the left
  std::function<std::string(const Row&)> cell;
};

/// At least one space before each cell; a cell that is longer than its column shifts what follows.
template <typename Row, typename TextOfCell>
std::string line_of(const std::vector<Column<Row>>& columns, TextOfCell&& text_of_cell) {
  std::string line;
  for (const Column<Row>& column : columns) {
    const std::string text = text_of_cell(column);
    line += column.width < 0 ? fmt::format(" {:<{}}", text, -column.width) : fmt::format(" {:>{}}", text, column.width);
  }
  return line;
}

template <typename Row>
std::string cells(const std::vector<Column<Row>>& columns, const Row& row) {
  return line_of(columns, [&](const Column<Row>& column) { return column.cell(row); });
}

template <typename Row>
std::size_t width_of(const std::vector<Column<Row>>& columns) {
  return line_of(columns, [](const Column<Row>&) { return std::string(); }).size();
}

inline std::string without_trailing_spaces(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

/// The lines above the rows of a table with these columns, side by side.
template <typename... Row>
std::string column_names(const std::vector<Column<Row>>&... columns) {
  const auto line = [&](auto&& text_of_cell) {
    return without_trailing_spaces("#" + (line_of(columns, text_of_cell) + ...)) + "\n";
  };
  return line([](const auto& column) { return column.name; }) + line([](const auto& column) { return column.unit; });
}

}  // namespace cpbench
