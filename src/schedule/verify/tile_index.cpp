#include "schedule/verify/tile_index.hpp"

#include <algorithm>

namespace cpbench::verification {

const TileIndex::Sorted& TileIndex::sorted(std::span<const Tile> tiles) {
  const std::lock_guard lock(mutex_);
  const auto [entry, is_new] = sorted_.try_emplace({tiles.data(), tiles.size()});
  Sorted& sorted = entry->second;
  if (is_new) {
    sorted.tiles.assign(tiles.begin(), tiles.end());
    std::ranges::sort(sorted.tiles, {}, &Tile::k_begin);
    sorted.longest = std::ranges::max(tiles, {}, &Tile::k_count).k_count;
  }
  return sorted;
}

std::span<const Tile> TileIndex::near_keys(std::span<const Tile> tiles, std::int64_t begin, std::int64_t end) {
  if (tiles.size() <= kShort) return tiles;
  const Sorted& list = sorted(tiles);
  const auto first = std::ranges::upper_bound(list.tiles, begin - list.longest, {}, &Tile::k_begin);
  const auto last = std::ranges::lower_bound(list.tiles, end, {}, &Tile::k_begin);
  return first < last ? std::span<const Tile>(first, last) : std::span<const Tile>();
}

}  // namespace cpbench::verification
