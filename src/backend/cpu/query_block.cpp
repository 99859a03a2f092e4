#include "backend/cpu/query_block.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace cpbench {
namespace {

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();
constexpr auto kLog2e = static_cast<float>(std::numbers::log2e);
constexpr auto kLn2 = static_cast<float>(std::numbers::ln2);

}  // namespace

QueryBlock::QueryBlock(const AttendArguments& a, const Microkernels& kernels, const ForwardShape& shape,
                       const ForwardScratch& scratch, std::int64_t b, int head, std::int64_t block)
    : a_(a),
      kernels_(kernels),
      shape_(shape),
      scratch_(scratch),
      b_(b),
      head_(head),
      row0_(block * kQueryBlock),
      rows_(static_cast<int>(std::min<std::int64_t>(kQueryBlock, a.q.rows - row0_))),
      padded_rows_(static_cast<int>(round_up(rows_, kTileRows))),
      state_(a, b, head, row0_) {
  // Whole tiles of whole vectors are accumulated where they are; others in scratch, which has room beyond them.
  in_place_ = rows_ == padded_rows_ && shape.dim_v == shape.dim_v_lanes;
  o_ = in_place_ ? state_.o : scratch.o;
  score_scale_ = static_cast<float>(a.scale) * kLog2e;
}

void QueryBlock::run(const float* packed, Poller& poller) {
  load_state();
  bool packed_q = false;
  for (const Tile& tile : a_.tiles) {
    const std::int64_t first = std::max<std::int64_t>(0, tile.k_begin / shape_.key_block);
    const std::int64_t last = (tile.k_begin + tile.k_count - 1) / shape_.key_block;
    for (std::int64_t block = first; block <= last; ++block) {
      const BlockBand band = BlockBand::of(tile, row0_, rows_, block * shape_.key_block, shape_.key_block);
      if (band.empty()) continue;
      if (!packed_q) pack_q();
      packed_q = true;
      const float* k = packed + block * shape_.block_words();
      make_probabilities(band, k);
      add_values(band, k + shape_.k_block_words);
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
  const float sink =
      a_.sink == nullptr ? kMinusInfinity : a_.sink[a_.heads.q_global + head_ - a_.heads.q_begin] * kLog2e;
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
  pack_columns({a_.q, b_, head_, row0_, rows_}, padded_rows_, kTileRows, kernels_.bf16_pairs, score_scale_, scratch_.q);
}

void QueryBlock::make_probabilities(const BlockBand& band, const float* k) {
  for (int key0 = band.key_begin / kernels_.panel * kernels_.panel; key0 < band.key_end; key0 += kernels_.panel) {
    for (int row = 0; row < padded_rows_; row += kTileRows) {
      const BlockRange seen = band.keys_of(row, row + kTileRows);
      const int begin = std::max(seen.begin, key0) / kernels_.lanes * kernels_.lanes;
      const int end = std::min(seen.end, key0 + kernels_.panel);
      if (begin >= end) continue;
      const float* panel = k + key0 * shape_.depth;
      make_tile(band, panel + (begin - key0), row, begin, end, seen.begin,
                share(panel + kernels_.panel * shape_.depth, shape_.depth, row));
    }
  }
}

void QueryBlock::make_tile(const BlockBand& band, const float* k, int row, int key, int key_end, int seen_begin,
                           const Ahead& next) {
  const int vectors = (key_end - key + kernels_.lanes - 1) / kernels_.lanes;
  const bool full = band.full(row, row + kTileRows, key, key + vectors * kernels_.lanes);
  KeyLimits limits;
  if (!full) {
    for (int r = 0; r < kTileRows; ++r) {
      const BlockRange range = band.keys_of(row + r, row + r + 1);
      limits.begin[r] = range.begin - key;
      limits.end[r] = range.end - key;
    }
  }
  kernels_.scores({.q = scratch_.q + row * shape_.depth,
                   .k = k,
                   .depth = shape_.depth,
                   .vectors = vectors,
                   .score_scale = score_scale_,
                   .limits = full ? nullptr : &limits,
                   .next = next,
                   .p = scratch_.p + row * kBlockStride,
                   .key = key,
                   .key_begin = seen_begin / kernels_.lanes * kernels_.lanes,
                   .m = scratch_.m + row,
                   .bound = scratch_.bound + row,
                   .l = scratch_.l + row * kernels_.lanes,
                   .o = o_row(row),
                   .o_stride = shape_.dim_v_lanes,
                   .o_count = shape_.dim_v_lanes});
}

void QueryBlock::add_values(const BlockBand& band, const float* v) {
  for (int dim = 0; dim < shape_.dim_v; dim += kernels_.panel) {
    const int vectors = std::min(kernels_.panel, shape_.dim_v_lanes - dim) / kernels_.lanes;
    for (int row = 0; row < padded_rows_; row += kTileRows) {
      const BlockRange seen = band.keys_of(row, row + kTileRows);
      if (seen.empty()) continue;
      const int begin = seen.begin / kernels_.per_word();
      const int end = (seen.end + kernels_.per_word() - 1) / kernels_.per_word();
      const float* panel = v + dim * kKeyWords;
      kernels_.product({.a = scratch_.p + row * kBlockStride + begin,
                        .b = panel + begin * kernels_.panel,
                        .depth = end - begin,
                        .vectors = vectors,
                        .alpha = 1,
                        .c = o_row(row) + dim,
                        .c_stride = shape_.dim_v_lanes,
                        .next = share(panel + kKeyWords * kernels_.panel, kKeyWords, row)});
    }
  }
}

Ahead QueryBlock::share(const float* panel, int depth, int row) const {
  const int tiles = padded_rows_ / kTileRows;
  const int step = (kernels_.panel + tiles - 1) / tiles;
  return {panel + std::int64_t{row / kTileRows} * depth * step, step};
}

void QueryBlock::store_state() {
  for (int r = 0; r < rows_; ++r) {
    float sum = 0;
    for (int lane = 0; lane < kernels_.lanes; ++lane) sum += scratch_.l[r * kernels_.lanes + lane];
    state_.m[r] = scratch_.bound[r] == kMinusInfinity ? kMinusInfinity : scratch_.m[r];
    state_.l[r] = sum;
    if (!in_place_) std::copy_n(o_row(r), shape_.dim_v, state_.o + r * shape_.dim_v);
  }
}

void QueryBlock::finish() {
  with_type(a_.out.dtype, [&]<typename T>(T) {
    for (int r = 0; r < rows_; ++r) {
      const float l = state_.l[r];
      const float inverse = l == 0 ? 0.0f : 1 / l;
      T* out = a_.out.at<T>(b_, row0_ + r, head_);
      for (int i = 0; i < shape_.dim_v; ++i) out[i] = from_float<T>(o_row(r)[i] * inverse);
      *a_.lse.at<float>(b_, row0_ + r, head_) = l == 0 ? kMinusInfinity : (state_.m[r] + std::log2(l)) * kLn2;
    }
  });
}

}  // namespace cpbench
