#include "support/json_text.hpp"

#include <algorithm>

namespace cpbench {

std::string complaint_of(std::string_view what) {
  const auto drop_through = [&](std::string_view end) {
    if (const std::size_t found = what.find(end); found != std::string_view::npos)
      what.remove_prefix(found + end.size());
  };
  if (what.starts_with("[json.exception.")) drop_through("] ");
  if (what.starts_with("parse error")) drop_through(": ");
  return std::string(what);
}

std::size_t line_at(std::string_view text, std::size_t byte) {
  const std::string_view before = text.substr(0, byte == 0 ? 0 : byte - 1);
  return static_cast<std::size_t>(std::ranges::count(before, '\n')) + 1;
}

}  // namespace cpbench
