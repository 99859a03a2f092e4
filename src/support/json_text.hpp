// Text that is to be JSON, and what is wrong with it in the words of its author rather than of the library.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "support/error.hpp"

namespace cpbench {

/// What an exception of the JSON library says, without the library's name for it and without the place.
std::string complaint_of(std::string_view what);

/// The line that has the byte; both count from 1. What lies past the end is in the last line.
std::size_t line_at(std::string_view text, std::size_t byte);

/// The value of `text`, which may have comments. Throws a usage error that names the line: `NAME:5: not valid JSON:
/// ...`
template <typename Json>
Json parse_json(std::string_view text, std::string_view name,
                const typename Json::parser_callback_t& callback = nullptr) {
  try {
    return Json::parse(text, callback, /*allow_exceptions=*/true, /*ignore_comments=*/true);
  } catch (const typename Json::parse_error& error) {
    refuse("{}:{}: not valid JSON: {}", name, line_at(text, error.byte), complaint_of(error.what()));
  } catch (const typename Json::exception& error) {
    refuse("{}: not valid JSON: {}", name, complaint_of(error.what()));
  }
}

}  // namespace cpbench
