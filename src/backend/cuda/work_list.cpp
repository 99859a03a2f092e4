#include "backend/cuda/work_list.hpp"

#include <algorithm>

#include "support/error.hpp"

namespace cpbench {
namespace {

constexpr std::int64_t kLimit = std::int64_t{1} << 30;

std::int32_t narrow(std::int64_t value) { return static_cast<std::int32_t>(value); }

void check_size(std::int64_t count, const char* what) {
  if (count > kLimit) refuse("{} {} on one rank: the CUDA backend takes at most {}", count, what, kLimit);
}

/// The steps of one block of rows, gathered from one tile after the other.
class BlockBuilder {
 public:
  BlockBuilder(WorkList& list, std::int64_t row_begin, std::int64_t row_end, std::int64_t step)
      : list_(list), row_begin_(row_begin), row_end_(row_end), step_(step) {
    block_ = {narrow(row_begin), narrow(static_cast<std::int64_t>(list.ranges.size())), 0, 0};
  }

  /// `band` is the index of the tile's band.
  void add(const Tile& tile, std::int32_t band) {
    const std::int64_t first = std::max(row_begin_, tile.q_begin) - tile.q_begin;
    const std::int64_t last = std::min(row_end_, tile.q_end()) - tile.q_begin - 1;
    if (first > last) return;
    const std::int64_t begin = tile.key_begin(first), end = tile.key_end(last);
    if (begin >= end) return;
    // What every row sees: from where the last row begins to where the first one ends. No tile has the rows that a
    // block has beyond the last one: as keys of a backward pass, unmasked, they would have probabilities without bound.
    const bool all_rows = tile.q_begin <= row_begin_ && row_end_ <= tile.q_end();
    const std::int64_t seen_begin = tile.key_begin(last), seen_end = all_rows ? tile.key_end(first) : seen_begin;
    const std::int64_t steps = (end - begin + step_ - 1) / step_;
    const std::int64_t full_begin = std::min(steps, (seen_begin - begin + step_ - 1) / step_);
    const std::int64_t full_end = std::max(full_begin, seen_end > begin ? (seen_end - begin) / step_ : 0);
    const std::int64_t column = tile.k_begin + begin;
    add_range(column, 0, full_begin, band);
    add_range(column, full_begin, full_end, WorkList::kNoBand);
    add_range(column, full_end, steps, band);
  }

  WorkList::Block take() const { return block_; }

 private:
  void add_range(std::int64_t column, std::int64_t begin, std::int64_t end, std::int32_t band) {
    if (begin >= end) return;
    list_.ranges.push_back({narrow(column + begin * step_), narrow(end - begin), band});
    ++block_.range_count;
    block_.steps += narrow(end - begin);
  }

  WorkList& list_;
  std::int64_t row_begin_, row_end_, step_;
  WorkList::Block block_{};
};

/// A band in the numbering of the operands, no wider than its rectangle.
WorkList::Band band_of(const Tile& tile) {
  const std::int64_t shift = tile.k_begin - tile.q_begin;
  const std::int64_t lo = std::max(tile.lo, -(tile.q_count - 1)), hi = std::min(tile.hi, tile.k_count - 1);
  return {narrow(tile.q_begin), narrow(tile.q_end()), narrow(tile.k_begin),
          narrow(tile.k_end()), narrow(lo + shift),   narrow(hi + shift)};
}

}  // namespace

WorkList make_work_list(std::span<const Tile> tiles, std::int64_t rows, int block_rows, int step_columns) {
  check_size(rows, "rows");
  WorkList list;
  const RowSpan row_span = query_span(tiles), column_span = key_span(tiles);
  list.row_begin = narrow(row_span.begin);
  list.row_end = narrow(row_span.end);
  list.column_begin = narrow(column_span.begin);
  list.column_end = narrow(column_span.end);
  std::vector<std::vector<std::int32_t>> tiles_of_block(static_cast<std::size_t>((rows + block_rows - 1) / block_rows));
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    const Tile& tile = tiles[i];
    check_size(tile.k_end(), "rows");
    list.bands.push_back(band_of(tile));
    for (std::int64_t block = tile.q_begin / block_rows; block * block_rows < tile.q_end(); ++block) {
      tiles_of_block[static_cast<std::size_t>(block)].push_back(narrow(static_cast<std::int64_t>(i)));
    }
  }
  for (std::size_t b = 0; b < tiles_of_block.size(); ++b) {
    const std::int64_t begin = static_cast<std::int64_t>(b) * block_rows;
    BlockBuilder block(list, begin, begin + block_rows, step_columns);
    for (const std::int32_t tile : tiles_of_block[b]) block.add(tiles[static_cast<std::size_t>(tile)], tile);
    list.blocks.push_back(block.take());
  }
  std::stable_sort(list.blocks.begin(), list.blocks.end(),
                   [](const auto& a, const auto& b) { return a.steps > b.steps; });
  return list;
}

std::vector<Tile> transposed(std::span<const Tile> tiles) {
  std::vector<Tile> result;
  for (const Tile& t : tiles) result.push_back(transposed(t));
  return result;
}

}  // namespace cpbench
