// Enumerations that users spell: one table of names serves both directions.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace cpbench {

template <typename Enum>
struct Named {
  Enum value;
  std::string_view name;
};

/// Throws a usage error: `unknown <what> "<word>"`, the nearest known name if one is close, and all known ones.
[[noreturn]] void refuse_unknown(std::string_view what, std::string_view word, std::span<const std::string> known);

template <typename Enum, std::size_t N>
std::string_view name_in(const std::array<Named<Enum>, N>& table, Enum value) {
  for (const auto& entry : table) {
    if (entry.value == value) return entry.name;
  }
  throw std::logic_error("an enumerator has no name");
}

template <typename Enum, std::size_t N>
Enum parse_in(const std::array<Named<Enum>, N>& table, std::string_view what, std::string_view word) {
  std::vector<std::string> known;
  for (const auto& entry : table) {
    if (entry.name == word) return entry.value;
    known.emplace_back(entry.name);
  }
  refuse_unknown(what, word, known);
}

}  // namespace cpbench
