// What is known about every element of a buffer, as few boxes of equal values.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "schedule/program.hpp"

namespace cpbench::verification {

/// Divides a buffer into boxes of rows x heads and keeps a value for each. Most buffers are one box for ever. A value
/// must stay true when its box is cut.
template <typename T>
class RegionMap {
 public:
  struct Cell {
    std::int64_t row_begin, row_end;
    std::int32_t head_begin, head_end;
    T value;
  };

  RegionMap(const Buffer& buffer, T value) : heads_(buffer.heads) {
    if (buffer.rows > 0 && buffer.heads > 0) cells_.push_back({0, buffer.rows, 0, buffer.heads, value});
  }

  /// Calls `visit` with the part of every cell that lies in `box`, rows first, then heads.
  template <typename Visitor>
  void visit(const Region& box, Visitor&& visitor) const {
    const std::int64_t row_end = box.row_begin + box.row_count;
    const std::int32_t head_end = box.head_begin + box.head_count;
    for (std::size_t i = first_after(box.row_begin); i < cells_.size() && cells_[i].row_begin < row_end; ++i) {
      const Cell& c = cells_[i];
      if (c.head_end <= box.head_begin || c.head_begin >= head_end) continue;
      visitor(Cell{std::max(c.row_begin, box.row_begin), std::min(c.row_end, row_end),
                   std::max(c.head_begin, box.head_begin), std::min(c.head_end, head_end), c.value});
    }
  }

  /// Calls `change` with the value of every cell in `box`, after cutting the cells at its border.
  template <typename Change>
  void update(const Region& box, Change&& change) {
    if (box.empty()) return;
    cut(box);
    const std::int64_t row_end = box.row_begin + box.row_count;
    for (std::size_t i = first_after(box.row_begin); i < cells_.size() && cells_[i].row_begin < row_end; ++i) {
      if (inside_heads(cells_[i], box)) change(cells_[i].value);
    }
  }

  /// Every element of `box` has this value from now on.
  void assign(const Region& box, const T& value) {
    if (box.empty()) return;
    cut(box);
    const std::int64_t row_end = box.row_begin + box.row_count;
    const std::size_t begin = first_after(box.row_begin);
    if (box.head_count < heads_) {
      update(box, [&](T& v) { v = value; });
      return;
    }
    std::size_t end = begin;
    while (end < cells_.size() && cells_[end].row_begin < row_end) ++end;
    cells_[begin] = {box.row_begin, row_end, 0, heads_, value};
    cells_.erase(at(begin + 1), at(end));
  }

 private:
  auto at(std::size_t i) { return cells_.begin() + static_cast<std::ptrdiff_t>(i); }

  static bool inside_heads(const Cell& c, const Region& box) {
    return c.head_begin >= box.head_begin && c.head_end <= box.head_begin + box.head_count;
  }

  /// The first cell that reaches beyond `row`.
  std::size_t first_after(std::int64_t row) const {
    const auto found =
        std::partition_point(cells_.begin(), cells_.end(), [&](const Cell& c) { return c.row_end <= row; });
    return static_cast<std::size_t>(found - cells_.begin());
  }

  void cut(const Region& box) {
    cut_rows(box.row_begin);
    cut_rows(box.row_begin + box.row_count);
    if (box.head_count < heads_) cut_heads(box);
  }

  /// Makes `row` a border between bands.
  void cut_rows(std::int64_t row) {
    const std::size_t begin = first_after(row);
    if (begin == cells_.size() || cells_[begin].row_begin >= row) return;
    std::size_t end = begin;
    while (end < cells_.size() && cells_[end].row_begin == cells_[begin].row_begin) ++end;
    const std::vector<Cell> band(at(begin), at(end));
    for (std::size_t i = begin; i < end; ++i) cells_[i].row_end = row;
    const auto copy = cells_.insert(at(end), band.begin(), band.end());
    std::for_each_n(copy, band.size(), [&](Cell& c) { c.row_begin = row; });
  }

  /// Makes the first and last head of the box borders within its bands: one pass, as there may be thousands of bands.
  void cut_heads(const Region& box) {
    const std::int64_t row_end = box.row_begin + box.row_count;
    const std::int32_t borders[] = {box.head_begin, box.head_begin + box.head_count};
    const auto crosses = [](const Cell& c, std::int32_t head) { return c.head_begin < head && head < c.head_end; };
    const std::size_t begin = first_after(box.row_begin);
    std::size_t end = begin;
    bool any = false;
    for (; end < cells_.size() && cells_[end].row_begin < row_end; ++end) {
      any = any || crosses(cells_[end], borders[0]) || crosses(cells_[end], borders[1]);
    }
    if (!any) return;
    std::vector<Cell> pieces;
    for (std::size_t i = begin; i < end; ++i) {
      Cell rest = cells_[i];
      for (const std::int32_t head : borders) {
        if (!crosses(rest, head)) continue;
        pieces.push_back(rest);
        pieces.back().head_end = head;
        rest.head_begin = head;
      }
      pieces.push_back(rest);
    }
    cells_.insert(cells_.erase(at(begin), at(end)), pieces.begin(), pieces.end());
  }

  std::int32_t heads_;
  std::vector<Cell> cells_;  ///< sorted by row, then head; cells of a band share their rows and cover all heads
};

}  // namespace cpbench::verification
