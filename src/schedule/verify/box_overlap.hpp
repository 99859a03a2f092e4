// Boxes that must not overlap.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

namespace cpbench::verification {

/// A box of (query heads, rows, partners of the rows), half open, and who contributes it.
struct Box {
  static constexpr std::size_t kAxes = 3;
  std::array<std::int64_t, kAxes> begin, end;
  std::uint32_t event;
};

/// Two boxes that overlap, if there are any. Reorders `boxes`. Those of each event by themselves if no other event has
/// partners among theirs, so it helps if they are together. Splits them at gaps along one axis after the other, which
/// leaves groups of a few for everything a schedule does; quadratic for a large group without gaps.
std::optional<std::pair<Box, Box>> find_overlap(std::span<Box> boxes);

}  // namespace cpbench::verification
