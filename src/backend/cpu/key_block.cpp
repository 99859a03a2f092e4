#include "backend/cpu/key_block.hpp"

#include <algorithm>
#include <numbers>

namespace cpbench {
namespace {

BlockRange whole_tiles(const BlockRange& range) {
  return {range.begin / kTileRows * kTileRows, static_cast<int>(round_up(range.end, kTileRows))};
}

}  // namespace

KeyBlock::KeyBlock(const AttendBackwardArguments& a, const Microkernels& kernels, const BackwardShape& shape,
                   const BackwardScratch& scratch, const KvHead& kv, std::int64_t block)
    : a_(a),
      kernels_(kernels),
      shape_(shape),
      scratch_(scratch),
      kv_(kv),
      key0_(block * shape.key_block),
      keys_(static_cast<int>(std::min<std::int64_t>(shape.key_block, shape.keys - key0_))) {
  const HeadRows k{a.k, kv.b, kv.head, key0_, keys_}, v{a.v, kv.b, kv.head, key0_, keys_};
  pack_columns(k, shape.key_block, kernels.panel, kernels.bf16_pairs, 1, scratch.k);
  pack_columns(v, shape.key_block, kernels.panel, kernels.bf16_pairs, 1, scratch.v);
  pack_rows(k, shape.key_block, kernels.panel, kernels.bf16_pairs, scratch.k_columns);
  std::fill_n(scratch.dk, shape.key_block * shape.dim_lanes, 0.0f);
  std::fill_n(scratch.dv, shape.key_block * shape.dim_v_lanes, 0.0f);
}

void KeyBlock::add(const BlockBand& band, const PackedQuery& query, float* dq) {
  make_gradients(band, query);
  add_transposed(band, scratch_.p, query.dout_columns, shape_.dim_v_lanes, 1, scratch_.dv);
  add_transposed(band, scratch_.ds, query.q_columns, shape_.dim_lanes, static_cast<float>(a_.scale), scratch_.dk);
  add_to_dq(band, dq);
}

void KeyBlock::finish() {
  add_rows(scratch_.dk, shape_.dim_lanes, a_.dk);
  add_rows(scratch_.dv, shape_.dim_v_lanes, a_.dv);
}

void KeyBlock::make_gradients(const BlockBand& band, const PackedQuery& query) {
  // Columns of the block are read as tiles of rows later: what is made must be whole tiles of keys.
  const BlockRange keys = whole_tiles({band.key_begin, band.key_end});
  for (int panel = keys.begin / kernels_.panel * kernels_.panel; panel < keys.end; panel += kernels_.panel) {
    for (int row = 0; row < shape_.query_block; row += kTileRows) {
      const BlockRange seen = band.keys_of(row, row + kTileRows);
      if (seen.empty()) continue;
      const BlockRange made = whole_tiles(seen);
      const int begin = std::max(made.begin, panel) / kernels_.lanes * kernels_.lanes;
      const int end = static_cast<int>(round_up(std::min(made.end, panel + kernels_.panel), kernels_.lanes));
      if (begin < end) make_tile(band, query, row, panel, begin, end);
    }
  }
}

void KeyBlock::make_tile(const BlockBand& band, const PackedQuery& query, int row, int panel, int key, int key_end) {
  const bool full = band.full(row, row + kTileRows, key, key_end);
  KeyLimits limits;
  if (!full) {
    for (int r = 0; r < kTileRows; ++r) {
      const BlockRange range = band.keys_of(row + r, row + r + 1);
      limits.begin[r] = range.begin - key;
      limits.end[r] = range.end - key;
    }
  }
  const int row_words = kernels_.words(row) * kBlockStride + key;
  kernels_.gradients({.q = query.q + row * shape_.depth,
                      .k = scratch_.k + panel * shape_.depth + (key - panel),
                      .dout = query.dout + row * shape_.depth_v,
                      .v = scratch_.v + panel * shape_.depth_v + (key - panel),
                      .depth = shape_.depth,
                      .depth_v = shape_.depth_v,
                      .vectors = (key_end - key) / kernels_.lanes,
                      .score_scale = static_cast<float>(a_.scale) * static_cast<float>(std::numbers::log2e),
                      .limits = full ? nullptr : &limits,
                      .lse = query.lse + row,
                      .delta = query.delta + row,
                      .p = scratch_.p + row_words,
                      .ds = scratch_.ds + row_words,
                      .ds_keys = scratch_.ds_keys + row * kBlockStride + key / 2});
}

void KeyBlock::add_transposed(const BlockBand& band, const float* block, const float* columns, int dims, float alpha,
                              float* to) {
  for (int dim = 0; dim < dims; dim += kernels_.panel) {
    for (int key = band.key_begin / kTileRows * kTileRows; key < band.key_end; key += kTileRows) {
      const BlockRange rows = band.rows_of(key, key + kTileRows);
      if (rows.empty()) continue;
      const int begin = rows.begin / kernels_.per_word();
      const int end = (rows.end + kernels_.per_word() - 1) / kernels_.per_word();
      kernels_.product_transposed({.a = block + begin * kBlockStride + key,
                                   .b = columns + dim * shape_.query_words + begin * kernels_.panel,
                                   .depth = end - begin,
                                   .vectors = std::min(kernels_.panel, dims - dim) / kernels_.lanes,
                                   .alpha = alpha,
                                   .c = to + key * dims + dim,
                                   .c_stride = dims,
                                   .next = {columns, 0}});
    }
  }
}

void KeyBlock::add_to_dq(const BlockBand& band, float* dq) {
  const float* block = kernels_.bf16_pairs ? scratch_.ds_keys : scratch_.ds;
  for (int dim = 0; dim < shape_.dim; dim += kernels_.panel) {
    for (int row = 0; row < shape_.query_block; row += kTileRows) {
      const BlockRange seen = band.keys_of(row, row + kTileRows);
      if (seen.empty()) continue;
      const int begin = seen.begin / kernels_.per_word();
      const int end = (seen.end + kernels_.per_word() - 1) / kernels_.per_word();
      kernels_.product({.a = block + row * kBlockStride + begin,
                        .b = scratch_.k_columns + dim * shape_.key_words + begin * kernels_.panel,
                        .depth = end - begin,
                        .vectors = std::min(kernels_.panel, shape_.dim_lanes - dim) / kernels_.lanes,
                        .alpha = static_cast<float>(a_.scale),
                        .c = dq + row * shape_.dim_lanes + dim,
                        .c_stride = shape_.dim_lanes,
                        .next = {scratch_.k_columns, 0}});
    }
  }
}

void KeyBlock::add_rows(const float* from, int stride, const TensorView& to) {
  with_type(to.dtype, [&]<typename T>(T) {
    for (int key = 0; key < keys_; ++key) {
      T* row = to.at<T>(kv_.b, key0_ + key, kv_.head);
      const float* sum = from + key * stride;
      for (std::int64_t i = 0; i < to.dim; ++i) row[i] = from_float<T>(to_float(row[i]) + sum[i]);
    }
  });
}

}  // namespace cpbench
