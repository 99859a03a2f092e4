// Which tokens a rank holds.
#pragma once

#include <string_view>
#include <vector>

#include "problem/documents.hpp"
#include "shard/segment.hpp"
#include "topology/grid.hpp"

namespace cpbench {

/// With R ring positions: contiguous, position r holds the r-th of R pieces; zigzag, chunks r and 2R-1-r of 2R;
/// striped, tokens r, r+R, r+2R, ...; zigzag_docs, a zigzag inside every document, the odd tokens being dealt on from
/// document to document.
enum class ShardKind : std::uint8_t { kContiguous, kZigzag, kStriped, kZigzagDocs };
std::string_view name_of(ShardKind kind);  ///< `contiguous`, `zigzag`, `striped`, `zigzag-docs`
ShardKind parse_shard(std::string_view name);

/// Tokens of each of `positions` ring positions. Any length: pieces differ by at most one token per chunk, some may be
/// empty.
std::vector<Tokens> shard_over_ring(ShardKind kind, const Documents& documents, int positions);

/// Tokens of each rank: the shard of its ring position, cut contiguously over the Ulysses places. Concatenating the
/// places' rows in order gives the ring position's rows back, so an all-to-all needs no permutation.
std::vector<Tokens> shard_over_grid(ShardKind kind, const Documents& documents, const Grid& grid);

}  // namespace cpbench
