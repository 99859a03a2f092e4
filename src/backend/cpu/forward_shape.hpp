// Forward pass of the kernel `blocked`: sizes, packed forms and the state, common to all of it.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "backend/cpu/microkernels.hpp"
#include "backend/cpu/pack.hpp"
#include "backend/kernel.hpp"

namespace cpbench {

/// Keys of a block of a matrix unit (matrix_query_block.hpp): with more, O is loaded and stored less often, but P is
/// spilled from the first-level cache.
inline constexpr int kMatrixKeys = 128;

/// Words of a block along its keys. Long sums load and store O rarely, but a panel of V must stay in the first-level
/// cache: 32 KiB is what AVX-512's takes with 128 words; with twice as many it spills a cache of 48 KiB. The narrower
/// panels of other instruction sets are bounded by the block alone.
inline int key_words(const Microkernels& kernels) {
  constexpr int kPanelBytes = 32 << 10;
  if (kernels.matrix_unit != nullptr) return kMatrixKeys / 2;
  return std::min(kPanelBytes / (kernels.panel * static_cast<int>(sizeof(float))), kBlockWords);
}

/// Sizes that follow from the arguments and the micro-kernels; the packed forms of K and V of one head.
struct ForwardShape {
  ForwardShape(const AttendArguments& a, const Microkernels& kernels)
      : key_words(cpbench::key_words(kernels)),
        key_block(key_words * kernels.per_word()),
        first_key(key_span(a.tiles).begin),
        keys(key_span(a.tiles).end),
        key_blocks((keys + key_block - 1) / key_block),
        query_block(kernels.query_rows),
        query_blocks((a.q.rows + query_block - 1) / query_block),
        depth(kernels.depth(static_cast<int>(a.k.dim))),
        dim_v(static_cast<int>(a.v.dim)),
        dim_v_lanes(static_cast<int>(round_up(a.v.dim, kernels.matrix_unit != nullptr ? kMatrixTile : kernels.lanes))),
        k_block_words(key_block * depth),
        v_block_words(key_words * (kernels.matrix_unit != nullptr ? dim_v_lanes : round_up(a.v.dim, kernels.panel))) {}

  int key_words;  ///< of a block
  int key_block;  ///< keys of a block: a multiple of the panel
  /// What the tiles reach: those between. Buffers may have more rows: they share memory with larger ones or lack what
  /// nobody sent, and what is in their other rows is not of this block, nor even finite.
  std::int64_t first_key, keys;
  std::int64_t key_blocks;
  int query_block;  ///< rows
  std::int64_t query_blocks;
  int depth;               ///< words of head_dim
  int dim_v, dim_v_lanes;  ///< the latter rounded up to whole vectors, or rows of A
  std::int64_t k_block_words, v_block_words;

  std::int64_t block_words() const { return k_block_words + v_block_words; }
};

/// The state: O [batch, heads, rows, dim_v] (on a matrix unit by tiles of rows: matrix_query_block.cpp), then m and l
/// [batch, heads, rows]; m in units of log2, O not yet divided.
struct StateRows {
  float *o, *m, *l;
  StateRows(const AttendArguments& a, std::int64_t b, std::int64_t head, std::int64_t row) {
    const std::int64_t all_rows = a.q.batch * a.q.heads * a.q.rows;
    const std::int64_t index = (b * a.q.heads + head) * a.q.rows + row;
    o = a.state + index * a.v.dim;
    m = a.state + all_rows * a.v.dim + index;
    l = m + all_rows;
  }
};

/// What softmax begins with in the place of a key: the head's sink in units of log2, or -inf.
inline float sink_of(const AttendArguments& a, int head) {
  if (a.sink == nullptr) return -std::numeric_limits<float>::infinity();
  return a.sink[a.heads.q_global + head - a.heads.q_begin] * static_cast<float>(std::numbers::log2e);
}

/// out and lse of a row that ends with this state: `row` of the head.
inline void finish_row(const AttendArguments& a, const Microkernels& kernels, const float* o, float m, float l,
                       std::int64_t b, std::int64_t row, std::int64_t head) {
  const bool sees_nothing = l == 0;
  kernels.rows.put(o, a.v.dim, sees_nothing ? 0.0f : 1 / l, false, a.out.dtype, a.out.address(b, row, head));
  *a.lse.at<float>(b, row, head) = sees_nothing ? -std::numeric_limits<float>::infinity()
                                                : (m + std::log2(l)) * static_cast<float>(std::numbers::ln2);
}

}  // namespace cpbench
