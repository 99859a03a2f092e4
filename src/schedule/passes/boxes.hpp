// A set of boxes of one buffer.
#pragma once

#include <algorithm>
#include <vector>

#include "schedule/program.hpp"

namespace cpbench {

/// The rows and heads of a buffer that hold data, or that somebody needs.
class Boxes {
 public:
  void add(const Region& box) {
    if (box.empty()) return;
    for (Region& b : boxes_) {
      if (b.head_begin == box.head_begin && b.head_count == box.head_count) {
        if (joins(b.row_begin, b.row_count, box.row_begin, box.row_count)) return;
      } else if (b.row_begin == box.row_begin && b.row_count == box.row_count) {
        if (joins(b.head_begin, b.head_count, box.head_begin, box.head_count)) return;
      }
    }
    boxes_.push_back(box);
  }
  bool touches(const Region& box) const {
    return std::ranges::any_of(boxes_, [&](const Region& b) { return overlap(b, box); });
  }
  bool empty() const { return boxes_.empty(); }

 private:
  /// Extends a range by another one if they touch.
  template <typename Index>
  static bool joins(Index& begin, Index& count, Index other_begin, Index other_count) {
    if (other_begin > begin + count || begin > other_begin + other_count) return false;
    const Index end = std::max(begin + count, other_begin + other_count);
    begin = std::min(begin, other_begin);
    count = end - begin;
    return true;
  }

  std::vector<Region> boxes_;
};

/// The key rows that tiles touch, as boxes of `buffer` with all of its `heads`: merged, in order.
std::vector<Region> key_boxes(std::span<const Tile> tiles, BufferId buffer, int heads);

}  // namespace cpbench
