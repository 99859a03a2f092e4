// A list of tokens in pieces that are worked on at once.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "problem/documents.hpp"
#include "shard/segment.hpp"

namespace cpbench {

/// A part of a list of tokens that is one progression: rows [first_row, first_row + tokens.count) of the list.
struct TokenBlock {
  Segment tokens;
  std::int64_t first_row;
};
inline constexpr std::int64_t kBlockRows = 256;  ///< K and V of a block in fp64 fit a second-level cache
/// The blocks, of at most `block_rows`, in which any of `ranges` has a token.
std::vector<TokenBlock> blocks_of(const Tokens& tokens, std::span<const TokenRange> ranges,
                                  std::int64_t block_rows = kBlockRows);
/// Which tokens of a block lie in `range`, as indices into the block. May be empty.
TokenRange indices_within(const Segment& block, TokenRange range);

}  // namespace cpbench
