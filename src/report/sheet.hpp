// Cells under names, and the ways to write them.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cpbench {

struct Cell {
  std::string text;   ///< for people; `-` where nothing is known
  std::string exact;  ///< for programs: in full precision, empty where nothing is known
};
/// Both show the text.
Cell cell_of(const std::string& text);
/// Of a figure; people see four digits of a fraction.
Cell cell_of(const std::optional<double>& figure);
/// Of the value of an axis in a case.
Cell cell_of(const nlohmann::ordered_json& axes, const std::string& axis);

struct SheetColumn {
  std::string name, unit;
  bool is_number;  ///< aligned to the right
};

struct Sheet {
  std::vector<SheetColumn> columns;
  std::vector<std::vector<Cell>> rows;  ///< each with a cell for every column
  std::vector<std::string> notes;       ///< on what the cells do not say
};

enum class Format : std::uint8_t { kText, kMarkdown, kCsv };
/// Throws a usage error for a word that is none of `text`, `markdown`, `csv`.
Format parse_format(std::string_view word);

/// Columns and rows: as the table of `run`, as Markdown, or as CSV (RFC 4180, but lines end as others do here) with one
/// line of names and without units.
std::string text_of(const Sheet& sheet, Format format);

}  // namespace cpbench
