#include "links/payload.hpp"

#include <algorithm>
#include <cstring>
#include <random>

namespace cpbench {

LinkPayload::LinkPayload(std::int64_t rows, int ranks) : words_(static_cast<std::size_t>(rows + ranks)) {
  std::mt19937_64 random(1);
  std::ranges::generate(words_, random);
}

std::span<const std::byte> LinkPayload::rows_of(int rank, std::int64_t row, std::int64_t rows) const {
  return std::as_bytes(std::span(words_).subspan(static_cast<std::size_t>(rank + row), static_cast<std::size_t>(rows)));
}

std::optional<std::int64_t> first_difference(std::span<const std::byte> a, std::span<const std::byte> b) {
  if (std::memcmp(a.data(), b.data(), a.size()) == 0) return std::nullopt;
  return std::ranges::mismatch(a, b).in1 - a.begin();
}

}  // namespace cpbench
