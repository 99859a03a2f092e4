#include "problem/mask.hpp"

#include <limits>
#include <optional>
#include <vector>

#include "support/error.hpp"
#include "support/names.hpp"
#include "support/number.hpp"

namespace cpbench {
namespace {

std::int64_t parse_reach(std::string_view number, std::string_view text) {
  const std::optional<std::int64_t> reach = integer_in(number);
  if (!reach || *reach < 0) {
    refuse("mask \"{}\": \"{}\" is not a number of tokens from 0 to {}", text, number,
           std::numeric_limits<std::int64_t>::max());
  }
  return *reach;
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
