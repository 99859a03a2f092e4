// Which tiles of a block do the same work: they go to a micro-kernel in one call, and what they see is decided once.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "backend/cpu/band.hpp"
#include "backend/cpu/microkernels.hpp"

namespace cpbench {

inline constexpr int kMaxTiles = 64;  ///< of a block

/// Tiles [begin, begin + count), all with the same range of what they see.
struct TileRun {
  int begin, count;
  BlockRange range;
};

/// Neighbours among `tiles` tiles with equal range_of(tile); those that see nothing are left out.
class TileRuns {
 public:
  template <typename RangeOf>
  TileRuns(int tiles, RangeOf&& range_of) {
    for (int tile = 0; tile < tiles; ++tile) {
      const BlockRange range = range_of(tile);
      if (range.empty()) continue;
      if (count_ > 0 && follows(runs_[count_ - 1], tile, range)) {
        ++runs_[count_ - 1].count;
      } else {
        runs_[count_++] = {tile, 1, range};
      }
    }
  }
  const TileRun* begin() const { return runs_.data(); }
  const TileRun* end() const { return runs_.data() + count_; }

 private:
  static bool follows(const TileRun& run, int tile, const BlockRange& range) {
    return run.begin + run.count == tile && run.range == range;
  }

  std::array<TileRun, kMaxTiles> runs_;
  std::size_t count_ = 0;
};

/// The tiles of `tile_rows` rows of a block, for kernels that make whole units of keys.
class RowTiles {
 public:
  /// `made(seen)`: the keys that are made for a tile, given those that its rows see.
  template <typename Made>
  RowTiles(const BlockBand& band, int rows, int tile_rows, Made&& made) : tiles_((rows + tile_rows - 1) / tile_rows) {
    for (int tile = 0; tile < tiles_; ++tile) {
      const int row = tile * tile_rows;
      Keys& keys = keys_[static_cast<std::size_t>(tile)];
      keys.seen = band.keys_of(row, row + tile_rows);
      keys.made = keys.seen.empty() ? keys.seen : made(keys.seen);
      keys.seen_by_all = band.keys_of_all(row, row + tile_rows);
      alike_ = alike_ && keys.made == keys_[0].made && keys.seen_by_all.contains(keys.made);
    }
  }

  const BlockRange& made(int tile) const { return keys_[static_cast<std::size_t>(tile)].made; }
  TileRuns runs() const {
    return {tiles_, [&](int tile) { return keys_[static_cast<std::size_t>(tile)].seen; }};
  }

  /// Calls work(run, masked) for what is made of the keys [begin, end): masked where not every row sees all of them.
  template <typename Work>
  void for_panel(int begin, int end, Work&& work) const {
    const auto made_here = [&](int tile) { return made(tile).within(begin, end); };
    if (alike_) {
      const BlockRange range = made_here(0);
      if (!range.empty()) work(TileRun{0, tiles_, range}, false);
      return;
    }
    for (int tile = 0; tile < tiles_;) {
      TileRun run{tile, 1, made_here(tile)};
      const bool masked = !full(tile, run.range);
      while (tile + run.count < tiles_ && made_here(tile + run.count) == run.range &&
             !full(tile + run.count, run.range) == masked) {
        ++run.count;
      }
      if (!run.range.empty()) work(run, masked);
      tile += run.count;
    }
  }

 private:
  struct Keys {
    BlockRange seen, made, seen_by_all;
  };
  bool full(int tile, const BlockRange& keys) const {
    return keys_[static_cast<std::size_t>(tile)].seen_by_all.contains(keys);
  }

  int tiles_;
  bool alike_ = true;  ///< every row sees all that is made, which is the same for all tiles: most blocks are such
  std::array<Keys, kMaxTiles> keys_;
};

/// What the rows of a run's first tile see, counted from the run's first key.
inline KeyLimits limits_of(const BlockBand& band, const TileRun& run, int tile_rows) {
  constexpr std::int64_t kFar = 1 << 20;  // farther than any row or key of a block
  const int row = run.begin * tile_rows, key = run.range.begin;
  const auto edge = [&](std::int64_t of_row0) {
    return static_cast<int>(std::clamp(of_row0 + row - key, -kFar, kFar));
  };
  return {.begin = edge(band.lo),
          .end = edge(band.hi + 1),
          .key_begin = band.key_begin - key,
          .key_end = band.key_end - key,
          .row_begin = band.row_begin - row,
          .row_end = band.row_end - row};
}

/// The words of a sum over these elements.
inline BlockRange words_of(const BlockRange& elements, const Microkernels& kernels) {
  const BlockRange whole = elements.whole(kernels.per_word() * kernels.depth_unit);
  return {whole.begin / kernels.per_word(), whole.end / kernels.per_word()};
}

}  // namespace cpbench
