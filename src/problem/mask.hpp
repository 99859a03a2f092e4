// Which keys a query may attend, by distance alone. Documents (documents.hpp) restrict it further.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace cpbench {

/// Query token i sees key token j iff i - left <= j <= i + right, both ends included.
/// Every mask of this tool has left >= 0 and right >= 0, so a token always sees itself.
struct Mask {
  static constexpr std::int64_t kUnbounded = std::numeric_limits<std::int64_t>::max();
  std::int64_t left = kUnbounded;
  std::int64_t right = 0;

  static Mask full() { return {kUnbounded, kUnbounded}; }
  static Mask causal() { return {kUnbounded, 0}; }
  static Mask window(std::int64_t left, std::int64_t right) { return {left, right}; }

  bool allows(std::int64_t query, std::int64_t key) const {
    return (left == kUnbounded || query - key <= left) && (right == kUnbounded || key - query <= right);
  }
  bool operator==(const Mask&) const = default;
};

/// Parses `full`, `causal`, `window:L` or `window:L:R`; throws a usage error naming the text otherwise.
Mask parse_mask(std::string_view text);
/// The inverse of parse_mask (`window:L:R` always with both numbers).
std::string to_string(const Mask& mask);

}  // namespace cpbench
