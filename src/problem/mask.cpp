#include "problem/mask.hpp"

#include <charconv>
#include <vector>

#include "support/error.hpp"
#include "support/names.hpp"

namespace cpbench {
namespace {

std::int64_t parse_reach(std::string_view number, std::string_view text) {
  std::int64_t reach = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), reach);
  if (error == std::errc::result_out_of_range) {
    refuse("mask \"{}\": \"{}\" does not fit in 64 bits", text, number);
  }
  if (error != std::errc{} || end != number.data() + number.size() || reach < 0) {
    refuse("mask \"{}\": \"{}\" is not a number of tokens >= 0", text, number);
  }
  return reach;
}

}  // namespace

Mask parse_mask(std::string_view text) {
  if (text == "full") return Mask::full();
  if (text == "causal") return Mask::causal();
  constexpr std::string_view kWindow = "window:";
  if (!text.starts_with(kWindow)) {
    refuse_unknown("mask", text, std::vector<std::string>{"full", "causal", "window:LEFT", "window:LEFT:RIGHT"});
  }
  const std::string_view numbers = text.substr(kWindow.size());
  const auto colon = numbers.find(':');
  const std::int64_t left = parse_reach(numbers.substr(0, colon), text);
  const std::int64_t right = colon == std::string_view::npos ? 0 : parse_reach(numbers.substr(colon + 1), text);
  return Mask::window(left, right);
}

std::string to_string(const Mask& mask) {
  if (mask == Mask::full()) return "full";
  if (mask == Mask::causal()) return "causal";
  return fmt::format("window:{}:{}", mask.left, mask.right);
}

}  // namespace cpbench
