// Backward pass of the kernel `blocked`: what is done for a block of keys of one K/V head.
#pragma once

#include <algorithm>
#include <iterator>

#include "backend/cpu/aligned_buffer.hpp"
#include "backend/cpu/band.hpp"
#include "backend/cpu/blocked.hpp"
#include "backend/cpu/microkernels.hpp"
#include "backend/cpu/pack.hpp"
#include "backend/cpu/tile_runs.hpp"
#include "backend/kernel.hpp"

namespace cpbench {

/// Sizes that follow from the arguments and the micro-kernels.
struct BackwardShape {
  BackwardShape(const AttendBackwardArguments& a, const Microkernels& kernels)
      : key_block(kBlockWords),
        query_block(kernels.query_row_words * kernels.per_word()),
        first_key(key_span(a.tiles).begin),
        keys(key_span(a.tiles).end),
        queries(query_span(a.tiles).end),
        key_blocks((keys + key_block - 1) / key_block),
        query_blocks((queries + query_block - 1) / query_block),
        depth(kernels.depth(static_cast<int>(a.k.dim))),
        depth_v(kernels.depth(static_cast<int>(a.v.dim))),
        dim(static_cast<int>(a.k.dim)),
        dim_v(static_cast<int>(a.v.dim)),
        dim_lanes(static_cast<int>(round_up(dim, kernels.lanes))),
        dim_v_lanes(static_cast<int>(round_up(dim_v, kernels.lanes))),
        dim_panels(static_cast<int>(round_up(dim, kernels.panel))),
        dim_v_panels(static_cast<int>(round_up(dim_v, kernels.panel))),
        query_words(kernels.words(query_block)),
        key_words(kernels.words(key_block)),
        dims_are_rows(kernels.matrix_unit != nullptr) {}

  int key_block, query_block;
  /// What the tiles reach: keys between the two, queries before the last (query_block.hpp).
  std::int64_t first_key, keys, queries;
  std::int64_t key_blocks, query_blocks;
  int depth, depth_v;            ///< words of head_dim and head_dim_v
  int dim, dim_v;                ///< head_dim, head_dim_v,
  int dim_lanes, dim_v_lanes;    ///< rounded up to whole vectors,
  int dim_panels, dim_v_panels;  ///< and to whole panels
  int query_words, key_words;    ///< words along the rows of a block
  /// dK and dV are accumulated as [dims][keys], and their products have dims as rows of A.
  bool dims_are_rows;

  std::int64_t gradient_words(int dims_panels) const { return std::int64_t{key_block} * dims_panels; }
};

/// A query block's packed operands; the fields of all query heads and blocks follow each other.
struct PackedQuery {
  float *q, *dout;                  ///< row tiles: A of Q K^T and dO V^T
  float *q_columns, *dout_columns;  ///< panels of dims: B of dS^T Q and P^T dO, or A of Q^T dS and dO^T P
  float *lse, *delta;

  static std::int64_t size(const BackwardShape& shape) {
    return shape.query_block * (shape.depth + shape.depth_v) +
           shape.query_words * (shape.dim_panels + shape.dim_v_panels) + 2 * shape.query_block;
  }
  PackedQuery(float* memory, const BackwardShape& shape) {
    q = memory;
    dout = q + shape.query_block * shape.depth;
    q_columns = dout + shape.query_block * shape.depth_v;
    dout_columns = q_columns + shape.query_words * shape.dim_panels;
    lse = dout_columns + shape.query_words * shape.dim_v_panels;
    delta = lse + shape.query_block;
  }
};

/// Asks the memory, line by line while products are made, for what the next query block needs: it comes from beyond the
/// second-level cache, and the first product with it would wait for each line.
class Upcoming {
 public:
  /// The next query block's operands and dQ follow those of `query` and `dq`.
  Upcoming(const PackedQuery& query, const float* dq, const BackwardShape& shape) {
    const std::int64_t dq_words = std::int64_t{shape.query_block} * shape.dim_lanes;
    parts_[0] = {query.q + PackedQuery::size(shape), PackedQuery::size(shape)};
    parts_[1] = {dq + dq_words, dq_words};
  }
  /// A share for a product of so many steps.
  Ahead take(int steps) {
    Part& part = parts_[0].words > 0 ? parts_[0] : parts_[1];
    if (part.words <= 0) return Ahead::nothing(part.next);
    const Ahead share{part.next, kLineWords};
    part.next += std::int64_t{steps} * kLineWords;
    part.words -= std::int64_t{steps} * kLineWords;
    return share;
  }

 private:
  struct Part {
    const float* next;
    std::int64_t words;
  };
  Part parts_[2];
};

/// Scratch of a work item: one contiguous block, so that it has a place in the cache.
struct BackwardScratch {
  BackwardScratch(AlignedBuffer& buffer, const BackwardShape& s) {
    const std::int64_t block = std::int64_t{s.query_block} * kBlockStride;
    const std::int64_t sizes[] = {std::int64_t{s.key_block} * s.depth,
                                  std::int64_t{s.key_block} * s.depth_v,
                                  std::int64_t{s.key_words} * s.dim_panels,
                                  s.gradient_words(s.dim_panels),
                                  s.gradient_words(s.dim_v_panels),
                                  block,
                                  block,
                                  block,
                                  s.dims_are_rows ? s.gradient_words(std::max(s.dim_lanes, s.dim_v_lanes)) : 0};
    float** parts[] = {&k, &v, &k_columns, &dk, &dv, &p, &ds, &ds_keys, &rows};
    std::int64_t total = 0;
    for (const std::int64_t size : sizes) total += Arena::padded(size);
    Arena arena(buffer.reserve(total));
    for (std::size_t i = 0; i < std::size(sizes); ++i) *parts[i] = arena.take(sizes[i]);
  }
  float *k, *v;      ///< panels of keys: B of Q K^T and dO V^T
  float* k_columns;  ///< panels of dims: B of dS K
  float *dk, *dv;    ///< [key_block][dim_lanes] and [key_block][dim_v_lanes], or [dim][key_block]
  float *p, *ds;     ///< summed over rows
  float* ds_keys;    ///< summed over keys, where that is another form (bf16)
  float* rows;       ///< dK or dV by keys, where they are accumulated by dims
};

/// Per query block it makes P and dS (gradients), and adds P^T dO to dV and dS^T Q to dK, which stay in its scratch,
/// and dS K to the dQ that it is given. What dS lacks, the scores' scale, dK and dQ get where they are put.
class KeyBlock {
 public:
  KeyBlock(const AttendBackwardArguments& a, const Microkernels& kernels, const BackwardShape& shape,
           const BackwardScratch& scratch, const KvHead& kv, std::int64_t block);

  /// Adds what a query block contributes; `dq` is [query_block][dim_lanes].
  void add(const BlockBand& band, const PackedQuery& query, float* dq);
  /// Adds dK and dV to the results, or starts those with them.
  void finish();
  std::int64_t key0() const { return key0_; }

 private:
  void make_gradients(const BlockBand& band, const RowTiles& tiles, const PackedQuery& query);
  void make_tiles(const BlockBand& band, const PackedQuery& query, int panel, const TileRun& run, bool masked);
  /// [keys][dims] += block^T * columns, each tile of keys over the rows that see it; or the transpose of it all.
  void add_transposed(const TileRuns& rows_of_keys, const float* block, const float* columns, int dims,
                      Upcoming& upcoming, float* to);
  void add_for_panel(const TileRun& rows_of_keys, const float* block, const float* columns, int dims, int dim,
                     Upcoming& upcoming, float* to);
  void add_for_dims(const TileRun& rows_of_keys, const float* block, const float* columns, int dims, Upcoming& upcoming,
                    float* to);
  void add_to_dq(const TileRuns& runs, float* dq);
  void put_gradients(const float* from, int dims, float factor, const TensorView& to);

  const AttendBackwardArguments& a_;
  const Microkernels& kernels_;
  const BackwardShape& shape_;
  const BackwardScratch& scratch_;
  const KvHead& kv_;
  std::int64_t key0_;
  int keys_;
};

}  // namespace cpbench
