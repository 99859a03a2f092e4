#include "cli/axes/number.hpp"

#include <charconv>
#include <cmath>
#include <system_error>

#include "support/error.hpp"

namespace cpbench {

std::int64_t parse_integer(std::string_view where, std::string_view text, std::int64_t smallest, std::int64_t largest) {
  if (text.empty())
    refuse("{}: the value is empty; a whole number from {} to {} is expected", where, smallest, largest);
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (stop != end || error == std::errc::invalid_argument) {
    refuse("{}: \"{}\" is not a whole number; one from {} to {} is expected", where, text, smallest, largest);
  }
  if (error == std::errc::result_out_of_range || value < smallest || value > largest) {
    refuse("{}: {} is out of range; it must be from {} to {}", where, text, smallest, largest);
  }
  return value;
}

double parse_positive(std::string_view where, std::string_view text) {
  if (text.empty()) refuse("{}: the value is empty; a positive number is expected", where);
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (stop != end || error == std::errc::invalid_argument) refuse("{}: \"{}\" is not a number", where, text);
  if (error == std::errc::result_out_of_range || !std::isfinite(value) || value <= 0) {
    refuse("{}: {} is out of range; a positive finite number is expected", where, text);
  }
  return value;
}

}  // namespace cpbench
