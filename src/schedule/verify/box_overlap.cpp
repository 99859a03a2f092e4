#include "schedule/verify/box_overlap.hpp"

#include <algorithm>
#include <vector>

namespace cpbench::verification {
namespace {

constexpr std::size_t kFew = 6;  // comparing so many pairwise is cheaper than sorting them

using Overlap = std::optional<std::pair<Box, Box>>;

bool overlap(const Box& a, const Box& b) {
  for (std::size_t axis = 0; axis < Box::kAxes; ++axis) {
    if (a.begin[axis] >= b.end[axis] || b.begin[axis] >= a.end[axis]) return false;
  }
  return true;
}

Overlap find_pairwise(std::span<const Box> boxes) {
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (overlap(boxes[i], boxes[j])) return std::pair(boxes[j], boxes[i]);
    }
  }
  return std::nullopt;
}

/// `connected` axes, up to this one, are known to have no gap.
Overlap find_along(std::size_t axis, std::size_t connected, std::span<Box> boxes) {
  if (boxes.size() <= kFew || connected == Box::kAxes) return find_pairwise(boxes);
  const auto begin_of = [axis](const Box& b) { return b.begin[axis]; };
  if (!std::ranges::is_sorted(boxes, {}, begin_of)) std::ranges::sort(boxes, {}, begin_of);
  const std::size_t next = (axis + 1) % Box::kAxes;
  std::size_t begin = 0;
  std::int64_t reach = boxes.front().end[axis];
  for (std::size_t i = 1; i <= boxes.size(); ++i) {
    if (i < boxes.size() && boxes[i].begin[axis] < reach) {
      reach = std::max(reach, boxes[i].end[axis]);
      continue;
    }
    const bool split = begin > 0 || i < boxes.size();
    if (auto found = find_along(next, split ? 1 : connected + 1, boxes.subspan(begin, i - begin))) return found;
    begin = i;
    if (i < boxes.size()) reach = boxes[i].end[axis];
  }
  return std::nullopt;
}

constexpr std::size_t kPartners = Box::kAxes - 1;  // the first axis to look at: blocks of keys rarely overlap

/// Boxes of one event, and what their partners span.
struct Part {
  std::span<Box> boxes;
  std::int64_t begin, end;
};

std::vector<Part> parts_of(std::span<Box> boxes) {
  std::vector<Part> parts;
  for (std::size_t first = 0, i = 0; i < boxes.size(); ++i) {
    const std::int64_t begin = boxes[i].begin[kPartners], end = boxes[i].end[kPartners];
    if (parts.empty() || boxes[i].event != boxes[first].event) {
      first = i;
      parts.push_back({{}, begin, end});
    }
    Part& part = parts.back();
    part = {boxes.subspan(first, i + 1 - first), std::min(part.begin, begin), std::max(part.end, end)};
  }
  return parts;
}

}  // namespace

std::optional<std::pair<Box, Box>> find_overlap(std::span<Box> boxes) {
  std::vector<Part> parts = parts_of(boxes);
  std::ranges::sort(parts, {}, &Part::begin);
  const auto meet = [](const Part& a, const Part& b) { return b.begin < a.end; };
  if (std::ranges::adjacent_find(parts, meet) != parts.end()) return find_along(kPartners, 0, boxes);
  for (const Part& part : parts) {
    if (auto found = find_along(kPartners, 0, part.boxes)) return found;
  }
  return std::nullopt;
}

}  // namespace cpbench::verification
