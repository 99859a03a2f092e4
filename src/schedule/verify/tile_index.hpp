// Tiles by the key rows that they touch.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "shard/tile.hpp"

namespace cpbench::verification {

/// An operation on the keys of all ranks may have thousands of tiles, and each rank asks for those of its own keys:
/// long lists are sorted once. Lists are known by their address and must stay in place. Threads may ask at the same
/// time.
class TileIndex {
 public:
  /// Tiles that may touch key rows [begin, end): a part of `tiles`, or of a sorted copy.
  static constexpr std::size_t kShort = 32;  ///< looking at so many is as fast as searching, and takes no copy
  std::span<const Tile> near_keys(std::span<const Tile> tiles, std::int64_t begin, std::int64_t end);

 private:
  struct Sorted {
    std::vector<Tile> tiles;  ///< by k_begin
    std::int64_t longest;     ///< most keys of a tile
  };
  const Sorted& sorted(std::span<const Tile> tiles);

  std::mutex mutex_;
  std::map<std::pair<const Tile*, std::size_t>, Sorted> sorted_;
};

}  // namespace cpbench::verification
