#include "backend/cpu/key_block.hpp"

#include <algorithm>
#include <numbers>

#include "backend/cpu/put_rows.hpp"

namespace cpbench {
KeyBlock::KeyBlock(const AttendBackwardArguments& a, const Microkernels& kernels, const BackwardShape& shape,
                   const BackwardScratch& scratch, const KvHead& kv, std::int64_t block)
    : a_(a),
      kernels_(kernels),
      shape_(shape),
      scratch_(scratch),
      kv_(kv),
      key0_(block * shape.key_block),
      keys_(static_cast<int>(std::min<std::int64_t>(shape.key_block, shape.keys - key0_))) {
  const std::int64_t left_out = shape.first_key - key0_;
  const HeadRows k{a.k, kv.b, kv.head, key0_, keys_, left_out}, v{a.v, kv.b, kv.head, key0_, keys_, left_out};
  pack_columns(k, shape.key_block, kernels.panel, shape.depth, kernels.bf16_pairs, 1, scratch.k);
  pack_columns(v, shape.key_block, kernels.panel, shape.depth_v, kernels.bf16_pairs, 1, scratch.v);
  pack_rows(k, shape.key_block, kernels.panel, kernels.bf16_pairs, scratch.k_columns);
  std::fill_n(scratch.dk, shape.gradient_words(shape.dim_panels), 0.0f);
  std::fill_n(scratch.dv, shape.gradient_words(shape.dim_v_panels), 0.0f);
}

void KeyBlock::add(const BlockBand& band, const PackedQuery& query, float* dq) {
  // Columns of the block are read as tiles of rows later: what is made must be whole tiles of keys.
  const int tile_rows = kernels_.tile_rows;
  const RowTiles tiles(band, shape_.query_block, tile_rows,
                       [&](const BlockRange& seen) { return seen.whole(tile_rows).whole(kernels_.lanes); });
  make_gradients(band, tiles, query);
  Upcoming upcoming(query, dq, shape_);
  const TileRuns rows_of_keys((band.key_end + tile_rows - 1) / tile_rows,
                              [&](int tile) { return band.rows_of(tile * tile_rows, (tile + 1) * tile_rows); });
  add_transposed(rows_of_keys, scratch_.p, query.dout_columns, shape_.dim_v_lanes, upcoming, scratch_.dv);
  add_transposed(rows_of_keys, scratch_.ds, query.q_columns, shape_.dim_lanes, upcoming, scratch_.dk);
  add_to_dq(tiles.runs(), dq);
}

void KeyBlock::finish() {
  put_gradients(scratch_.dk, shape_.dim_lanes, static_cast<float>(a_.scale), a_.dk);
  put_gradients(scratch_.dv, shape_.dim_v_lanes, 1, a_.dv);
}

void KeyBlock::make_gradients(const BlockBand& band, const RowTiles& tiles, const PackedQuery& query) {
  const BlockRange keys = BlockRange{band.key_begin, band.key_end}.whole(kernels_.tile_rows);
  for (int panel = keys.begin / kernels_.panel * kernels_.panel; panel < keys.end; panel += kernels_.panel) {
    tiles.for_panel(panel, panel + kernels_.panel,
                    [&](const TileRun& run, bool masked) { make_tiles(band, query, panel, run, masked); });
  }
}

void KeyBlock::make_tiles(const BlockBand& band, const PackedQuery& query, int panel, const TileRun& run, bool masked) {
  const int row = run.begin * kernels_.tile_rows, key = run.range.begin;
  const int row_words = kernels_.words(row) * kBlockStride + key;
  kernels_.gradients({.tiles = run.count,
                      .q = query.q + row * shape_.depth,
                      .k = scratch_.k + panel * shape_.depth + (key - panel),
                      .dout = query.dout + row * shape_.depth_v,
                      .v = scratch_.v + panel * shape_.depth_v + (key - panel),
                      .depth = shape_.depth,
                      .depth_v = shape_.depth_v,
                      .vectors = (run.range.end - key) / kernels_.lanes,
                      .score_scale = static_cast<float>(a_.scale) * static_cast<float>(std::numbers::log2e),
                      .masked = masked,
                      .limits = limits_of(band, run, kernels_.tile_rows),
                      .lse = query.lse + row,
                      .delta = query.delta + row,
                      .p = scratch_.p + row_words,
                      .ds = scratch_.ds + row_words,
                      .ds_keys = scratch_.ds_keys + row * kBlockStride + key / 2});
}

void KeyBlock::add_transposed(const TileRuns& runs, const float* block, const float* columns, int dims,
                              Upcoming& upcoming, float* to) {
  if (shape_.dims_are_rows) {
    for (const TileRun& run : runs) add_for_dims(run, block, columns, dims, upcoming, to);
    return;
  }
  for (int dim = 0; dim < dims; dim += kernels_.panel) {
    for (const TileRun& run : runs) add_for_panel(run, block, columns, dims, dim, upcoming, to);
  }
}

void KeyBlock::add_for_panel(const TileRun& run, const float* block, const float* columns, int dims, int dim,
                             Upcoming& upcoming, float* to) {
  const int key = run.begin * kernels_.tile_rows;
  const BlockRange words = words_of(run.range, kernels_);
  kernels_.product_transposed({.tiles = run.count,
                               .a = block + words.begin * kBlockStride + key,
                               .b = columns + dim * shape_.query_words + words.begin * kernels_.panel,
                               .depth = words.end - words.begin,
                               .vectors = std::min(kernels_.panel, dims - dim) / kernels_.lanes,
                               .c = to + key * dims + dim,
                               .c_stride = dims,
                               .next = upcoming.take(run.count * (words.end - words.begin))});
}

void KeyBlock::add_for_dims(const TileRun& run, const float* block, const float* columns, int dims, Upcoming& upcoming,
                            float* to) {
  const int tiles = (dims + kernels_.tile_rows - 1) / kernels_.tile_rows;
  const int key_end = (run.begin + run.count) * kernels_.tile_rows;
  const BlockRange words = words_of(run.range, kernels_);
  for (int key = run.begin * kernels_.tile_rows; key < key_end; key += kernels_.panel) {
    kernels_.product_transposed({.tiles = tiles,
                                 .a = columns + words.begin,
                                 .b = block + words.begin * kBlockStride + key,
                                 .depth = words.end - words.begin,
                                 .vectors = std::min(kernels_.panel, key_end - key) / kernels_.lanes,
                                 .c = to + key,
                                 .c_stride = shape_.key_block,
                                 .next = upcoming.take(tiles * (words.end - words.begin))});
  }
}

void KeyBlock::add_to_dq(const TileRuns& runs, float* dq) {
  const float* block = kernels_.bf16_pairs ? scratch_.ds_keys : scratch_.ds;
  for (int dim = 0; dim < shape_.dim; dim += kernels_.panel) {
    for (const TileRun& run : runs) {
      const int row = run.begin * kernels_.tile_rows;
      const BlockRange words = words_of(run.range, kernels_);
      kernels_.product({.tiles = run.count,
                        .a = block + row * kBlockStride + words.begin,
                        .b = scratch_.k_columns + dim * shape_.key_words + words.begin * kernels_.panel,
                        .depth = words.end - words.begin,
                        .vectors = std::min(kernels_.panel, shape_.dim_lanes - dim) / kernels_.lanes,
                        .c = dq + row * shape_.dim_lanes + dim,
                        .c_stride = shape_.dim_lanes,
                        .next = Ahead::nothing(scratch_.k_columns)});
    }
  }
}

void KeyBlock::put_gradients(const float* from, int dims, float factor, const TensorView& to) {
  if (shape_.dims_are_rows) {
    transpose(from, shape_.key_block, dims, shape_.key_block, scratch_.rows, dims);
    from = scratch_.rows;
  }
  put_rows(kernels_, from, dims, keys_, factor, !a_.first_dkv, to, kv_.b, key0_, kv_.head);
}

}  // namespace cpbench
