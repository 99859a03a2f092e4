// Tiles as blocks of a GPU take them: one launch serves any shard and any mask.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "shard/tile.hpp"

namespace cpbench {

/// A block keeps some rows (queries in the forward pass, keys in the backward pass), and columns stream by, some in
/// each step. Rows and columns are those of the operands' buffers. Plain 32-bit numbers, which kernels read as they
/// are.
struct WorkList {
  /// Row r sees column c iff row_begin <= r < row_end, column_begin <= c < column_end and r + lo <= c <= r + hi.
  struct Band {
    std::int32_t row_begin, row_end, column_begin, column_end, lo, hi;
    bool operator==(const Band&) const = default;
  };
  /// `steps` steps from column `column_begin`. Without a band every row of the block sees every column of each step.
  struct Range {
    std::int32_t column_begin, steps;
    std::int32_t band;  ///< index into bands, or kNoBand
  };
  /// Rows from `row_begin`, and their ranges; `steps` in all, perhaps none.
  struct Block {
    std::int32_t row_begin, range_begin, range_count, steps;
  };
  static constexpr std::int32_t kNoBand = -1;

  std::vector<Block> blocks;  ///< every row of the operand is in one; those with the most steps come first
  std::vector<Range> ranges;
  std::vector<Band> bands;
  /// What the tiles span: no key outside may be read. What lies within and in no tile is loaded with its neighbours,
  /// and multiplied by 0: it must be finite.
  std::int32_t row_begin = 0, row_end = 0, column_begin = 0, column_end = 0;
};

/// `rows` rows in blocks of `block_rows`, against columns in steps of `step_columns`. Throws a usage error where rows
/// or columns do not fit 30 bits.
WorkList make_work_list(std::span<const Tile> tiles, std::int64_t rows, int block_rows, int step_columns);

/// The same pairs with queries and keys exchanged: what the backward pass, whose blocks keep keys, makes its list from.
std::vector<Tile> transposed(std::span<const Tile> tiles);

}  // namespace cpbench
