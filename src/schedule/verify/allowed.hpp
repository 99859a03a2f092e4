// Whether an operation attends only what it may.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "problem/problem.hpp"
#include "schedule/verify/row_maps.hpp"
#include "shard/tile.hpp"

namespace cpbench::verification {

/// What is wrong with the tiles of an operation on these rows of q and kv, if anything is: pairs that the mask or the
/// documents forbid, or rows of kv that hold no keys.
std::optional<std::string> find_forbidden(const Problem& problem, std::span<const Tile> tiles, const RowMap& rows,
                                          const RowMap& keys);

}  // namespace cpbench::verification
