#include "support/number.hpp"

#include <charconv>
#include <cmath>
#include <system_error>

#include "support/error.hpp"

namespace cpbench {
namespace {

/// As from_chars, of the whole text.
template <typename Number>
std::errc read_whole(std::string_view text, Number& value) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return stop == end ? error : std::errc::invalid_argument;
}

}  // namespace

std::optional<std::int64_t> integer_in(std::string_view text) {
  std::int64_t value = 0;
  return read_whole(text, value) == std::errc{} ? std::optional(value) : std::nullopt;
}

std::optional<double> number_in(std::string_view text) {
  double value = 0;
  return read_whole(text, value) == std::errc{} && std::isfinite(value) ? std::optional(value) : std::nullopt;
}

std::int64_t parse_integer(std::string_view where, std::string_view text, std::int64_t smallest, std::int64_t largest) {
  if (text.empty())
    refuse("{}: the value is empty; a whole number from {} to {} is expected", where, smallest, largest);
  std::int64_t value = 0;
  const std::errc error = read_whole(text, value);
  if (error == std::errc::invalid_argument) {
    refuse("{}: \"{}\" is not a whole number; one from {} to {} is expected", where, text, smallest, largest);
  }
  if (error != std::errc{} || value < smallest || value > largest) {
    refuse("{}: {} is out of range; it must be from {} to {}", where, text, smallest, largest);
  }
  return value;
}

double parse_positive(std::string_view where, std::string_view text) {
  if (text.empty()) refuse("{}: the value is empty; a positive number is expected", where);
  double value = 0;
  const std::errc error = read_whole(text, value);
  if (error == std::errc::invalid_argument) refuse("{}: \"{}\" is not a number", where, text);
  if (error != std::errc{} || !std::isfinite(value) || value <= 0) {
    refuse("{}: {} is out of range; a positive finite number is expected", where, text);
  }
  return value;
}

}  // namespace cpbench
