// The band of a tile, seen from a block of query rows and a block of keys.
#pragma once

#include <algorithm>
#include <cstdint>

#include "shard/tile.hpp"

namespace cpbench {

/// Half-open, empty where begin >= end.
struct BlockRange {
  int begin, end;
  bool empty() const { return begin >= end; }
  bool contains(const BlockRange& other) const { return begin <= other.begin && other.end <= end; }
  BlockRange within(int from, int to) const { return {std::max(begin, from), std::min(end, to)}; }
  /// Grown to multiples of `unit`.
  BlockRange whole(int unit) const { return {begin / unit * unit, (end + unit - 1) / unit * unit}; }
  /// The same for a power of two, without divisions.
  BlockRange whole_power(int unit) const { return {begin & -unit, (end + unit - 1) & -unit}; }
  friend bool operator==(const BlockRange&, const BlockRange&) = default;
};

/// Row i of the block sees key j of the block iff i + lo <= j <= i + hi, the row lies in [row_begin, row_end) and the
/// key in [key_begin, key_end): those of the tile.
struct BlockBand {
  std::int64_t lo, hi;
  int row_begin, row_end, key_begin, key_end;

  /// For blocks of `rows` x `keys` that start at the buffers' rows row0 and key0.
  static BlockBand of(const Tile& tile, std::int64_t row0, int rows, std::int64_t key0, int keys) {
    const std::int64_t shift = (row0 - tile.q_begin) - (key0 - tile.k_begin);
    const auto within = [](std::int64_t value, int count) {
      return static_cast<int>(std::clamp<std::int64_t>(value, 0, count));
    };
    return {tile.lo + shift,
            tile.hi + shift,
            within(tile.q_begin - row0, rows),
            within(tile.q_end() - row0, rows),
            within(tile.k_begin - key0, keys),
            within(tile.k_end() - key0, keys)};
  }

  /// The keys that at least one of the rows [begin, end) sees, and perhaps, in a gap that no row sees, none.
  BlockRange keys_of(int begin, int end) const {
    begin = std::max(begin, row_begin);
    end = std::min(end, row_end);
    if (begin >= end) return {0, 0};
    return {clamp_key(begin + lo), clamp_key(end - 1 + hi + 1)};
  }
  /// The keys that every one of the rows [begin, end) sees.
  BlockRange keys_of_all(int begin, int end) const {
    if (begin < row_begin || end > row_end) return {0, 0};
    return {clamp_key(end - 1 + lo), clamp_key(begin + hi + 1)};
  }
  /// The rows that see at least one of the keys [begin, end).
  BlockRange rows_of(int begin, int end) const {
    begin = std::max(begin, key_begin);
    end = std::min(end, key_end);
    if (begin >= end) return {0, 0};
    return {clamp_row(begin - hi), clamp_row(end - 1 - lo + 1)};
  }
  bool empty() const { return keys_of(row_begin, row_end).empty(); }

 private:
  int clamp_key(std::int64_t key) const { return static_cast<int>(std::clamp<std::int64_t>(key, key_begin, key_end)); }
  int clamp_row(std::int64_t row) const { return static_cast<int>(std::clamp<std::int64_t>(row, row_begin, row_end)); }
};

}  // namespace cpbench
