// Lists as flags and system files write them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace cpbench {

/// The parts of `a,b,c`, empty ones too: at least one. They refer to `list`.
inline std::vector<std::string_view> split(std::string_view list, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(separator, begin), list.size());
    parts.push_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

/// The axes of a comma list, which flags spell `seq-len` and files `seq_len`.
inline std::vector<std::string> axis_list(std::string_view list) {
  std::vector<std::string> names;
  for (const std::string_view part : split(list, ',')) {
    std::ranges::replace(names.emplace_back(part), '-', '_');
  }
  return names;
}

}  // namespace cpbench
