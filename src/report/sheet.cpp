#include "report/sheet.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "result/case_columns.hpp"
#include "result/columns.hpp"
#include "support/names.hpp"

namespace cpbench {
namespace {

using Cells = std::vector<Cell>;

std::string aligned_text(const Sheet& sheet) {
  std::vector<Column<Cells>> columns;
  for (std::size_t i = 0; i < sheet.columns.size(); ++i) {
    const auto& [name, unit, is_number] = sheet.columns[i];
    std::size_t width = std::max(name.size(), unit.size());
    for (const Cells& row : sheet.rows) width = std::max(width, row[i].text.size());
    columns.push_back({name, unit, is_number ? static_cast<int>(width) : -static_cast<int>(width),
                       [i](const Cells& row) { return row[i].text; }});
  }
  std::string text = column_names(columns);
  for (const Cells& row : sheet.rows) text += without_trailing_spaces(" " + cells(columns, row)) + "\n";
  return text;
}

std::string markdown_row(const std::vector<std::string>& texts) {
  std::string line = "|";
  for (std::string text : texts) {
    for (std::size_t bar = text.find('|'); bar != std::string::npos; bar = text.find('|', bar + 2))
      text.insert(bar, "\\");
    line += " " + text + " |";
  }
  return line + "\n";
}

std::string markdown(const Sheet& sheet) {
  std::vector<std::string> names, rules;
  for (const auto& [name, unit, is_number] : sheet.columns) {
    names.push_back(unit.empty() ? name : fmt::format("{} ({})", name, unit));
    rules.emplace_back(is_number ? "---:" : "---");
  }
  std::string text = markdown_row(names) + markdown_row(rules);
  for (const Cells& row : sheet.rows) {
    std::vector<std::string> texts;
    for (const Cell& cell : row) texts.push_back(cell.text);
    text += markdown_row(texts);
  }
  return text;
}

std::string quoted(std::string text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  for (std::size_t quote = text.find('"'); quote != std::string::npos; quote = text.find('"', quote + 2)) {
    text.insert(quote, "\"");
  }
  return '"' + text + '"';
}

std::string csv_line(const std::vector<std::string>& fields) { return fmt::format("{}\n", fmt::join(fields, ",")); }

std::string csv(const Sheet& sheet) {
  std::vector<std::string> names;
  for (const SheetColumn& column : sheet.columns) names.push_back(quoted(column.name));
  std::string text = csv_line(names);
  for (const Cells& row : sheet.rows) {
    std::vector<std::string> fields;
    for (const Cell& cell : row) fields.push_back(quoted(cell.exact));
    text += csv_line(fields);
  }
  return text;
}

}  // namespace

Cell cell_of(const std::string& text) { return {text, text}; }

Cell cell_of(const std::optional<double>& figure) {
  if (!figure) return {kNothing, ""};
  const bool is_count = std::trunc(*figure) == *figure && std::abs(*figure) < 1e15;  // of bytes: all digits
  return {is_count ? fmt::format("{:.0f}", *figure) : fmt::format("{:.4g}", *figure), fmt::format("{}", *figure)};
}

Cell cell_of(const nlohmann::ordered_json& axes, const std::string& axis) {
  const std::string text = text_of_axis(axes, axis);
  if (!axes.contains(axis) || axes.at(axis).is_null()) return {text, ""};
  const nlohmann::ordered_json& value = axes.at(axis);
  return {text, value.is_string() ? value.get<std::string>() : value.dump()};
}

Format parse_format(std::string_view word) {
  constexpr std::array kFormats = {Named<Format>{Format::kText, "text"}, Named<Format>{Format::kMarkdown, "markdown"},
                                   Named<Format>{Format::kCsv, "csv"}};
  return parse_in(kFormats, "format", word);
}

std::string text_of(const Sheet& sheet, Format format) {
  switch (format) {
    case Format::kMarkdown:
      return markdown(sheet);
    case Format::kCsv:
      return csv(sheet);
    case Format::kText:
      break;
  }
  return aligned_text(sheet);
}

}  // namespace cpbench
