#include "validate/token_block.hpp"

#include <algorithm>

namespace cpbench {
namespace {

/// Number of tokens of the endless progression from `first` that are before `bound`; 0 where that is negative.
std::int64_t count_before(const Segment& block, std::int64_t bound) {
  return bound <= block.first ? 0 : (bound - block.first + block.stride - 1) / block.stride;
}

}  // namespace

std::vector<TokenBlock> blocks_of(const Tokens& tokens, std::span<const TokenRange> ranges, std::int64_t block_rows) {
  std::vector<TokenBlock> blocks;
  std::int64_t first_row = 0;
  for (const Segment& segment : tokens) {
    for (std::int64_t i = 0; i < segment.count; i += block_rows) {
      const Segment block{segment.at(i), std::min(block_rows, segment.count - i), segment.stride};
      const bool seen = std::any_of(ranges.begin(), ranges.end(),
                                    [&](TokenRange range) { return indices_within(block, range).count() > 0; });
      if (seen) blocks.push_back({block, first_row});
      first_row += block.count;
    }
  }
  return blocks;
}

TokenRange indices_within(const Segment& block, TokenRange range) {
  return {std::min(block.count, count_before(block, range.begin)),
          std::min(block.count, count_before(block, range.end))};
}

}  // namespace cpbench
