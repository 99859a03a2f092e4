#include "backend/cpu/query_block.hpp"

#include <algorithm>
#include <limits>
#include <numbers>

namespace cpbench {
namespace {

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();
constexpr auto kLog2e = static_cast<float>(std::numbers::log2e);

/// Of 1 or a multiple of 4 values: in four sums, as additions wait for one another.
float sum_of(const float* values, int count) {
  if (count == 1) return values[0];
  float sums[4] = {};
  for (int i = 0; i < count; i += 4) {
    for (int j = 0; j < 4; ++j) sums[j] += values[i + j];
  }
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

}  // namespace

QueryBlock::QueryBlock(const AttendArguments& a, const Microkernels& kernels, const ForwardShape& shape,
                       const QueryScratch& scratch, std::int64_t b, int head, std::int64_t block)
    : a_(a),
      kernels_(kernels),
      shape_(shape),
      scratch_(scratch),
      b_(b),
      head_(head),
      row0_(block * shape.query_block),
      rows_(static_cast<int>(std::min<std::int64_t>(shape.query_block, a.q.rows - row0_))),
      padded_rows_(static_cast<int>(round_up(rows_, kernels.tile_rows))),
      state_(a, b, head, row0_) {
  // Whole tiles of whole vectors are accumulated where they are; others in scratch, which has room beyond them. So is
  // what ends here: scratch is cached, and nobody needs the state any more.
  in_place_ = !a.last && rows_ == padded_rows_ && shape.dim_v == shape.dim_v_lanes;
  o_ = in_place_ ? state_.o : scratch.o;
  score_scale_ = static_cast<float>(a.scale) * kLog2e;
  if (a.last) upcoming_.add(a.out, b, row0_, head);
}

void QueryBlock::run(const float* packed, Poller& poller) {
  load_state();
  bool packed_q = false;
  for (const Tile& tile : a_.tiles) {
    const std::int64_t first = tile.k_begin / shape_.key_block;
    const std::int64_t last = (tile.k_end() - 1) / shape_.key_block;
    for (std::int64_t block = first; block <= last; ++block) {
      const BlockBand band = BlockBand::of(tile, row0_, rows_, block * shape_.key_block, shape_.key_block);
      if (band.empty()) continue;
      if (!packed_q) pack_q();
      packed_q = true;
      const float* k = packed + block * shape_.block_words();
      const RowTiles tiles(band, padded_rows_, kernels_.tile_rows,
                           [&](const BlockRange& seen) { return seen.whole_power(kernels_.lanes); });
      make_probabilities(band, tiles, k);
      add_values(tiles, k + shape_.k_block_words);
      poller();
    }
  }
  store_state();
  if (a_.last) finish();
}

void QueryBlock::load_state() {
  std::fill_n(scratch_.m, padded_rows_, 0.0f);
  std::fill_n(scratch_.bound, padded_rows_, kMinusInfinity);
  std::fill_n(scratch_.l, padded_rows_ * kernels_.lanes, 0.0f);
  if (a_.first) {
    start();
    return;
  }
  for (int r = 0; r < rows_; ++r) {
    if (state_.m[r] != kMinusInfinity) set_maximum(r, state_.m[r]);
    scratch_.l[r * kernels_.lanes] = state_.l[r];
  }
  if (in_place_) return;
  std::fill_n(o_, padded_rows_ * shape_.dim_v_lanes, 0.0f);
  for (int r = 0; r < rows_; ++r) std::copy_n(state_.o + r * shape_.dim_v, shape_.dim_v, o_row(r));
}

void QueryBlock::start() {
  std::fill_n(o_, padded_rows_ * shape_.dim_v_lanes, 0.0f);
  const float sink = sink_of(a_, head_);
  if (sink == kMinusInfinity) return;
  for (int r = 0; r < rows_; ++r) {
    set_maximum(r, sink);
    scratch_.l[r * kernels_.lanes] = 1;
  }
}

void QueryBlock::set_maximum(int row, float m) {
  scratch_.m[row] = m;
  scratch_.bound[row] = kRaiseAbove;
}

void QueryBlock::pack_q() {
  pack_columns({a_.q, b_, head_, row0_, rows_}, padded_rows_, kernels_.tile_rows, shape_.depth, kernels_.bf16_pairs,
               score_scale_, scratch_.q);
}

void QueryBlock::make_probabilities(const BlockBand& band, const RowTiles& tiles, const float* k) {
  const int keys = kernels_.panel;
  for (int key = band.key_begin / keys * keys; key < band.key_end; key += keys) {
    tiles.for_panel(key, key + keys, [&](const TileRun& run, bool masked) {
      make_tiles(band, k, run, tiles.made(run.begin).begin, masked);
    });
  }
}

void QueryBlock::make_tiles(const BlockBand& band, const float* k, const TileRun& run, int made_begin, bool masked) {
  const float* panel = k + run.range.begin / kernels_.panel * kernels_.panel * shape_.depth;
  const float* next_panel = panel + kernels_.panel * shape_.depth;
  const int row = run.begin * kernels_.tile_rows, key = run.range.begin;
  kernels_.scores({.tiles = run.count,
                   .q = scratch_.q + row * shape_.depth,
                   .k = panel + key % kernels_.panel,
                   .depth = shape_.depth,
                   .vectors = (run.range.end - key) / kernels_.lanes,
                   .score_scale = score_scale_,
                   .masked = masked,
                   .limits = limits_of(band, run, kernels_.tile_rows),
                   .next = share(next_panel, shape_.depth, run.begin),
                   .p = scratch_.p + row * kBlockStride,
                   .key = key,
                   .key_begin = made_begin,
                   .m = scratch_.m + row,
                   .bound = scratch_.bound + row,
                   .l = scratch_.l + row * kernels_.lanes,
                   .o = o_row(row),
                   .o_stride = shape_.dim_v_lanes,
                   .o_count = shape_.dim_v_lanes});
}

void QueryBlock::add_values(const RowTiles& tiles, const float* v) {
  const TileRuns runs = tiles.runs();
  for (int dim = 0; dim < shape_.dim_v; dim += kernels_.panel) {
    const float* panel = v + dim * shape_.key_words;
    const float* next_panel = panel + shape_.key_words * kernels_.panel;
    for (TileRun run : runs) {
      for (; !upcoming_.empty() && run.count > 0; ++run.begin, --run.count) {
        add_values_of({run.begin, 1, run.range}, panel, dim, share_or_rows(next_panel, run.begin));
      }
      if (run.count > 0) add_values_of(run, panel, dim, share(next_panel, shape_.key_words, run.begin));
    }
  }
}

void QueryBlock::add_values_of(const TileRun& run, const float* panel, int dim, Ahead next) {
  const int row = run.begin * kernels_.tile_rows;
  const BlockRange words = words_of(run.range, kernels_);
  kernels_.product({.tiles = run.count,
                    .a = scratch_.p + row * kBlockStride + words.begin,
                    .b = panel + words.begin * kernels_.panel,
                    .depth = words.end - words.begin,
                    .vectors = std::min(kernels_.panel, shape_.dim_v_lanes - dim) / kernels_.lanes,
                    .c = o_row(row) + dim,
                    .c_stride = shape_.dim_v_lanes,
                    .next = next});
}

void QueryBlock::ask_for_begin_of(const QueryBlock& next) {
  upcoming_.add(a_.q, next.b_, next.row0_, next.head_);
  const std::int64_t row_bytes = a_.v.dim * static_cast<std::int64_t>(sizeof(float));
  if (!(a_.first && a_.last)) upcoming_.add(next.state_.o, row_bytes, row_bytes);
}

Ahead QueryBlock::share(const float* panel, int depth, int tile) const {
  const int tiles = padded_rows_ / kernels_.tile_rows;
  const int step = (kernels_.panel + tiles - 1) / tiles;
  return {panel + std::int64_t{tile} * depth * step, step};
}

Ahead QueryBlock::share_or_rows(const float* panel, int tile) {
  if (const int line = tile * kLineWords; line < kernels_.panel) return {panel + line, kernels_.panel};
  return upcoming_.take();
}

void QueryBlock::store_state() {
  for (int r = 0; r < rows_; ++r) {
    state_.m[r] = scratch_.bound[r] == kMinusInfinity ? kMinusInfinity : scratch_.m[r];
    state_.l[r] = sum_of(scratch_.l + r * kernels_.lanes, kernels_.lanes);
    if (!in_place_ && !a_.last) std::copy_n(o_row(r), shape_.dim_v, state_.o + r * shape_.dim_v);
  }
}

void QueryBlock::finish() {
  for (int r = 0; r < rows_; ++r) finish_row(a_, kernels_, o_row(r), state_.m[r], state_.l[r], b_, row0_ + r, head_);
}

}  // namespace cpbench
