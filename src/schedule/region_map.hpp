// What is known about every element of a buffer, as few boxes of equal values.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "schedule/program.hpp"

namespace cpbench {

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
    const std::int64_t row_end = box.row_end();
    const std::int32_t head_end = box.head_end();
    for_each_touched(box, [&](std::size_t i) {
      const Cell& c = cells_[i];
      visitor(Cell{std::max(c.row_begin, box.row_begin), std::min(c.row_end, row_end),
                   std::max(c.head_begin, box.head_begin), std::min(c.head_end, head_end), c.value});
    });
  }

  /// Calls `change` with the value of every cell in `box`, after cutting the cells at its border.
  template <typename Change>
  void update(const Region& box, Change&& change) {
    if (box.empty()) return;
    cut(box);
    for_each_touched(box, [&](std::size_t i) { change(cells_[i].value); });
  }

  /// Every element of `box` has this value from now on.
  void assign(const Region& box, const T& value) {
    if (box.empty()) return;
    if (box.head_count < heads_) return update(box, [&](T& v) { v = value; });
    cut(box);
    const std::int64_t row_end = box.row_end();
    std::size_t begin = first_after(box.row_begin);
    const std::size_t end = begin_of_rows(row_end, begin);
    cells_[begin] = {box.row_begin, row_end, 0, heads_, value};
    // An exchange with many ranks fills a buffer piece after piece.
    if (begin > 0 && cells_[begin - 1].head_begin == 0 && cells_[begin - 1].value == value) {
      cells_[--begin].row_end = row_end;
    }
    cells_.erase(at(begin + 1), at(end));
  }

 private:
  auto at(std::size_t i) { return cells_.begin() + static_cast<std::ptrdiff_t>(i); }

  /// The first cell from `from` on for which `before` is false.
  template <typename Before>
  std::size_t search(std::size_t from, Before&& before) const {
    const auto begin = cells_.begin() + static_cast<std::ptrdiff_t>(from);
    return static_cast<std::size_t>(std::partition_point(begin, cells_.end(), before) - cells_.begin());
  }
  /// The first cell that reaches beyond `row`.
  std::size_t first_after(std::int64_t row) const {
    return search(0, [&](const Cell& c) { return c.row_end <= row; });
  }
  /// The first cell from `from` on of a band that begins at `row` or later.
  std::size_t begin_of_rows(std::int64_t row, std::size_t from) const {
    return search(from, [&](const Cell& c) { return c.row_begin < row; });
  }
  /// One past the last cell of the band that begins with cell `band`.
  std::size_t end_of_band(std::size_t band) const {
    return cells_[band].head_end == heads_ ? band + 1 : begin_of_rows(cells_[band].row_begin + 1, band + 1);
  }
  /// Of the band that begins with cell `band`, the first cell that reaches beyond `head`.
  std::size_t first_beyond(std::size_t band, std::int32_t head) const {
    if (cells_[band].head_end > head) return band;
    const std::int64_t row = cells_[band].row_begin;
    return search(band, [&](const Cell& c) { return c.row_begin == row && c.head_end <= head; });
  }

  /// Calls `visit` with the first cell of every band in the rows of `box`. There may be thousands, of thousands of
  /// cells.
  template <typename Visitor>
  void for_each_band(const Region& box, Visitor&& visitor) const {
    const std::int64_t row_end = box.row_end();
    for (std::size_t band = first_after(box.row_begin); band < cells_.size() && cells_[band].row_begin < row_end;
         band = end_of_band(band)) {
      visitor(band);
    }
  }
  template <typename Visitor>
  void for_each_touched(const Region& box, Visitor&& visitor) const {
    const std::int32_t head_end = box.head_end();
    for_each_band(box, [&](std::size_t band) {
      const std::int64_t row = cells_[band].row_begin;
      for (std::size_t i = first_beyond(band, box.head_begin);
           i < cells_.size() && cells_[i].row_begin == row && cells_[i].head_begin < head_end; ++i) {
        visitor(i);
      }
    });
  }

  void cut(const Region& box) {
    cut_rows(box.row_begin);
    cut_rows(box.row_end());
    if (box.head_count < heads_) cut_heads(box);
  }

  /// Makes `row` a border between bands.
  void cut_rows(std::int64_t row) {
    const std::size_t begin = first_after(row);
    if (begin == cells_.size() || cells_[begin].row_begin >= row) return;
    const std::size_t end = end_of_band(begin);
    const std::vector<Cell> band(at(begin), at(end));
    for (std::size_t i = begin; i < end; ++i) cells_[i].row_end = row;
    const auto copy = cells_.insert(at(end), band.begin(), band.end());
    std::for_each_n(copy, band.size(), [&](Cell& c) { c.row_begin = row; });
  }

  /// Makes the first and last head of the box borders within its bands.
  void cut_heads(const Region& box) {
    for (const std::int32_t head : {box.head_begin, box.head_end()}) {
      std::vector<std::size_t> crossing;
      for_each_band(box, [&](std::size_t band) {
        const std::size_t i = first_beyond(band, head);
        if (i < cells_.size() && cells_[i].row_begin == cells_[band].row_begin && cells_[i].head_begin < head) {
          crossing.push_back(i);
        }
      });
      split(crossing, head);
    }
  }

  /// Cuts each of `cells`, in ascending order, at `head`; in one pass, from the end.
  void split(const std::vector<std::size_t>& cells, std::int32_t head) {
    if (cells.empty()) return;
    std::size_t source = cells_.size();
    cells_.resize(cells_.size() + cells.size(), cells_[cells.front()]);
    std::size_t target = cells_.size();
    for (auto cell = cells.rbegin(); cell != cells.rend(); ++cell) {
      std::move_backward(at(*cell), at(source), at(target));
      target -= source - *cell;
      source = *cell;
      cells_[target].head_begin = head;
      cells_[--target] = cells_[source];
      cells_[target].head_end = head;
    }
  }

  std::int32_t heads_;
  std::vector<Cell> cells_;  ///< sorted by row, then head; cells of a band share their rows and cover all heads
};

}  // namespace cpbench
