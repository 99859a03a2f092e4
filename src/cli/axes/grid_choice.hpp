// The process grid of a point: cp_size = ulysses x outer x inner, by algorithm.
#pragma once

#include "cli/axes/point.hpp"

namespace cpbench {

/// Query and K/V heads that a rank's tensor-parallel share has, and the share.
struct HeadShare {
  int heads, kv_heads;
  int tensor_parallel;
};

/// Throws Impossible if kv_heads does not divide heads, or the point's tensor_parallel not both.
HeadShare share_heads(const PointSpec& spec, int heads, int kv_heads, const ResolveContext& context);

/// Throws Impossible for a cp_size above the world, a Ulysses degree that does not divide cp_size, heads that the
/// degree does not divide (without uneven_heads), and a window that does not divide the ring.
Grid choose_grid(const PointSpec& spec, const Algorithm& algorithm, const HeadShare& share,
                 const ResolveContext& context);

/// What the result file calls `window_size`: the inner ring where the algorithm has one, else 1.
int window_size_of(const Algorithm& algorithm, const Grid& grid);

}  // namespace cpbench
