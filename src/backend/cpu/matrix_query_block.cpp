#include "backend/cpu/matrix_query_block.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include "backend/cpu/tile_runs.hpp"

namespace cpbench {
namespace {

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();

/// m is set so far above the highest score seen: later ones rarely exceed it by kRaiseAbove, which costs a step again.
/// An integer: P is 2^-32 where it would be 1, and neither its relative precision nor l's depends on that.
constexpr float kHeadroom = 32;

/// Blocks of keys whose K and V the second-level cache holds beside the queries of a block.
std::int64_t blocks_at_a_time(const ForwardShape& shape) {
  constexpr std::int64_t kBytes = 1 << 20;
  return std::max<std::int64_t>(1, kBytes / (shape.block_words() * static_cast<std::int64_t>(sizeof(float))));
}

}  // namespace

MatrixQueryScratch::MatrixQueryScratch(AlignedBuffer& buffer, const ForwardShape& shape, const Microkernels&) {
  constexpr std::int64_t kTileWords = std::int64_t{kMatrixTile} * kMatrixTile;
  const std::int64_t queries = shape.query_block, p_words = std::int64_t{shape.key_words} * kMatrixTile;
  struct Part {
    float** at;
    std::int64_t words;
  };
  const Part parts[] = {{&p[0], p_words},
                        {&p[1], p_words},
                        {&scores[0], kTileWords},
                        {&scores[1], kTileWords},
                        {&all_scores, std::int64_t{shape.key_block} * kMatrixTile},
                        {&o_rows, std::int64_t{kMatrixTile} * shape.dim_v_lanes},
                        {&q, queries * shape.depth},
                        {&o, queries * shape.dim_v_lanes},
                        {&m, queries},
                        {&bound, queries},
                        {&l, queries}};
  std::int64_t words = 0;
  for (const Part& part : parts) words += Arena::padded(part.words);
  Arena arena(buffer.reserve(words));
  for (const Part& part : parts) *part.at = arena.take(part.words);
}

MatrixQueryBlock::MatrixQueryBlock(const AttendArguments& a, const Microkernels& kernels, const ForwardShape& shape,
                                   const MatrixQueryScratch& scratch, std::int64_t b, int head, std::int64_t block)
    : a_(a),
      shape_(shape),
      scratch_(scratch),
      unit_(*kernels.matrix_unit),
      kernels_(kernels),
      b_(b),
      head_(head),
      row0_(block * shape.query_block),
      rows_(static_cast<int>(std::min<std::int64_t>(shape.query_block, a.q.rows - row0_))),
      padded_rows_(static_cast<int>(round_up(rows_, kMatrixTile))),
      state_(a, b, head, row0_),
      in_place_(!a.last && rows_ == padded_rows_ && shape.dim_v == shape.dim_v_lanes),
      o_(in_place_ ? state_.o : scratch.o),
      score_scale_(static_cast<float>(a.scale) * std::numbers::log2e_v<float>) {}

void MatrixQueryBlock::run(const float* packed, Poller& poller) {
  if (!a_.first && !a_.last && !sees_any_key()) return;
  load_state();
  for (const Tile& tile : a_.tiles) attend_band(tile, packed, poller);
  finish_steps();
  store_state();
}

bool MatrixQueryBlock::sees_any_key() const {
  return std::any_of(a_.tiles.begin(), a_.tiles.end(),
                     [&](const Tile& tile) { return pairs_of(rows_of(tile, row0_, row0_ + rows_)) > 0; });
}

// --- The state -------------------------------------------------------------------------------------------------------
//
// In it a tile's O is [dim_v][queries of the tile], as in scratch, but without padding.

void MatrixQueryBlock::load_state() {
  std::fill_n(scratch_.m, padded_rows_, 0.0f);
  std::fill_n(scratch_.bound, padded_rows_, kMinusInfinity);
  std::fill_n(scratch_.l, padded_rows_, 0.0f);
  const float sink = a_.first ? sink_of(a_, head_) : kMinusInfinity;
  for (int r = 0; r < rows_; ++r) {
    const float m = a_.first ? sink : state_.m[r];
    if (m != kMinusInfinity) set_maximum(r, m);
    scratch_.l[r] = !a_.first ? state_.l[r] : m != kMinusInfinity ? 1.0f : 0.0f;
  }
  if (a_.first || !in_place_) std::fill_n(o_, std::int64_t{padded_rows_} * shape_.dim_v_lanes, 0.0f);
  if (a_.first || in_place_) return;
  for_rows_of_state([](float* of_state, float* of_scratch, int count) { std::copy_n(of_state, count, of_scratch); });
}

void MatrixQueryBlock::set_maximum(int row, float m) {
  scratch_.m[row] = m;
  scratch_.bound[row] = kRaiseAbove;
}

void MatrixQueryBlock::store_state() {
  for (int r = 0; r < rows_; ++r) {
    state_.m[r] = scratch_.bound[r] == kMinusInfinity ? kMinusInfinity : scratch_.m[r];
    state_.l[r] = scratch_.l[r];
  }
  if (a_.last) {
    for (int row = 0; row < rows_; row += kMatrixTile) finish(row);
  } else if (!in_place_) {
    for_rows_of_state([](float* of_state, float* of_scratch, int count) { std::copy_n(of_scratch, count, of_state); });
  }
}

template <typename Work>
void MatrixQueryBlock::for_rows_of_state(Work&& work) const {
  for (int row = 0; row < rows_; row += kMatrixTile) {
    const int count = std::min(kMatrixTile, rows_ - row);
    float* of_state = state_.o + std::int64_t{row} * shape_.dim_v;
    for (int dim = 0; dim < shape_.dim_v; ++dim) work(of_state + dim * count, o_of(row) + dim * kMatrixTile, count);
  }
}

void MatrixQueryBlock::finish(int row) {
  transpose(o_of(row), kMatrixTile, shape_.dim_v, kMatrixTile, scratch_.o_rows, shape_.dim_v_lanes);
  const float* o = scratch_.o_rows;
  for (int r = row; r < std::min(row + kMatrixTile, rows_); ++r, o += shape_.dim_v_lanes) {
    finish_row(a_, kernels_, o, state_.m[r], state_.l[r], b_, row0_ + r, head_);
  }
}

// --- Steps -----------------------------------------------------------------------------------------------------------

void MatrixQueryBlock::attend_band(const Tile& tile, const float* packed, Poller& poller) {
  const std::int64_t end = (tile.k_end() - 1) / shape_.key_block + 1, at_a_time = blocks_at_a_time(shape_);
  for (std::int64_t begin = tile.k_begin / shape_.key_block; begin < end; begin += at_a_time) {
    const std::int64_t blocks = std::min(at_a_time, end - begin);
    const auto keys = static_cast<int>(blocks * shape_.key_block);
    const BlockBand band = BlockBand::of(tile, row0_, rows_, begin * shape_.key_block, keys);
    if (band.empty()) continue;
    if (!packed_q_) {
      pack_columns({a_.q, b_, head_, row0_, rows_}, padded_rows_, kMatrixTile, shape_.depth, kernels_.bf16_pairs, 1,
                   scratch_.q);
    }
    packed_q_ = true;
    for (int row = band.row_begin / kMatrixTile * kMatrixTile; row < band.row_end; row += kMatrixTile) {
      const BlockRange seen = band.keys_of(row, row + kMatrixTile);
      for (int key = seen.begin; key < seen.end;) {
        const int block = key / shape_.key_block;
        take(step_of(band, row, seen.within(key, (block + 1) * shape_.key_block),
                     packed + (begin + block) * shape_.block_words(), block * shape_.key_block));
        key = (block + 1) * shape_.key_block;
      }
      if (!seen.empty()) poller();
    }
  }
}

MatrixQueryBlock::Step MatrixQueryBlock::step_of(const BlockBand& band, int row, const BlockRange& seen,
                                                 const float* block, int block_key) const {
  const BlockRange keys = seen.whole_power(kMatrixTile);
  const BlockRange rows = band.rows_of(keys.begin, keys.end).within(row, row + kMatrixTile);
  const BlockRange by_all = band.keys_of_all(row, row + kMatrixTile);
  const int key = keys.begin - block_key;
  return {.row = row,
          .k = block + std::int64_t{key} * shape_.depth,
          .v = block + shape_.k_block_words + kernels_.words(key) * kMatrixTile,
          .units = (keys.end - keys.begin) / kMatrixTile,
          .seen_by_all = {by_all.begin - keys.begin, by_all.end - keys.begin},
          .rows = {rows.begin - row, rows.end - row},
          .limits = limits_of(band, {row / kMatrixTile, 1, keys}, kMatrixTile)};
}

void MatrixQueryBlock::take(const Step& step) {
  if (current_.units > 0) {
    make_probabilities(&step);
  } else {
    const MatrixProduct scores = scores_of(step, 0, scratch_.scores[turn_]);
    unit_.multiply(&scores, 1);
  }
  current_ = step;
}

void MatrixQueryBlock::finish_steps() {
  if (current_.units == 0) return;
  make_probabilities(nullptr);
  add_values();
}

void MatrixQueryBlock::make_probabilities(const Step* next) {
  if (any_without_maximum()) begin_maximum();
  OfQueries sums{};
  const int dim_tiles = previous_.units > 0 ? shape_.dim_v_lanes / kMatrixTile : 0;
  std::array<MatrixProduct, kMostProducts> meanwhile;
  for (int unit = 0; unit < current_.units; ++unit) {
    int count = 0;
    const bool last = unit + 1 == current_.units;
    const int other = 1 - turn_;
    if (!last) meanwhile[count++] = scores_of(current_, unit + 1, scratch_.scores[other]);
    if (last && next != nullptr) meanwhile[count++] = scores_of(*next, 0, scratch_.scores[other]);
    const int tiles_end = dim_tiles * (unit + 1) / current_.units;
    for (int tile = dim_tiles * unit / current_.units; tile < tiles_end; ++tile) meanwhile[count++] = values_of(tile);
    unit_.probabilities(unit_of(current_, unit, scratch_.scores[turn_]), scratch_.m + current_.row, sums.values,
                        p_of(p_turn_, unit), meanwhile.data(), count);
    turn_ = other;
  }
  previous_.units = 0;
  if (too_high(sums)) sums = make_probabilities_again();
  for (int r = 0; r < kMatrixTile; ++r) scratch_.l[current_.row + r] += sums.values[r];
  previous_ = current_;
  p_turn_ = 1 - p_turn_;
}

MatrixQueryBlock::OfQueries MatrixQueryBlock::make_probabilities_again() {
  raise_maximum();
  OfQueries sums{};
  for (int unit = 0; unit < current_.units; ++unit) {
    unit_.probabilities(unit_of(current_, unit, all_scores_of(unit)), scratch_.m + current_.row, sums.values,
                        p_of(p_turn_, unit), nullptr, 0);
  }
  return sums;
}

void MatrixQueryBlock::add_values() {
  std::array<MatrixProduct, kMostProducts> products;
  const int count = previous_.units > 0 ? shape_.dim_v_lanes / kMatrixTile : 0;
  for (int dims = 0; dims < count; ++dims) products[dims] = values_of(dims);
  unit_.multiply(products.data(), count);
  previous_.units = 0;
}

// --- m ---------------------------------------------------------------------------------------------------------------

bool MatrixQueryBlock::any_without_maximum() const {
  const float* bound = scratch_.bound + current_.row;
  for (int r = current_.rows.begin; r < current_.rows.end; ++r) {
    if (bound[r] < 0) return true;
  }
  return false;
}

bool MatrixQueryBlock::too_high(const OfQueries& sums) const {
  const float highest = static_cast<float>(shape_.key_block) * std::exp2(kRaiseAbove);
  return std::any_of(sums.values, sums.values + kMatrixTile, [=](float sum) { return sum > highest; });
}

MatrixQueryBlock::OfQueries MatrixQueryBlock::highest_scores() const {
  std::array<MatrixProduct, kMatrixKeys / kMatrixTile> products;
  for (int unit = 0; unit < current_.units; ++unit) products[unit] = scores_of(current_, unit, all_scores_of(unit));
  unit_.multiply(products.data(), current_.units);
  OfQueries highest;
  std::fill_n(highest.values, kMatrixTile, kMinusInfinity);
  for (int unit = 0; unit < current_.units; ++unit) {
    unit_.highest(unit_of(current_, unit, all_scores_of(unit)), highest.values);
  }
  return highest;
}

void MatrixQueryBlock::begin_maximum() {
  const OfQueries highest = highest_scores();
  for (int r = current_.rows.begin; r < current_.rows.end; ++r) {
    const int row = current_.row + r;
    const bool sees_a_key = highest.values[r] > 0.5f * kMaskedScore;
    if (scratch_.bound[row] < 0 && sees_a_key) set_maximum(row, highest.values[r] + kHeadroom);
  }
}

void MatrixQueryBlock::raise_maximum() {
  const OfQueries highest = highest_scores();
  OfQueries factors;
  for (int r = 0; r < kMatrixTile; ++r) {
    float& m = scratch_.m[current_.row + r];
    const float excess = highest.values[r] - m;
    const float raise = excess > kRaiseAbove ? std::ceil(excess) + kHeadroom : 0.0f;
    m += raise;
    factors.values[r] = std::exp2(-raise);
    scratch_.l[current_.row + r] *= factors.values[r];
  }
  unit_.scale(o_of(current_.row), shape_.dim_v, factors.values);
}

// --- Operands --------------------------------------------------------------------------------------------------------

MatrixProduct MatrixQueryBlock::scores_of(const Step& step, int unit, float* to) const {
  return {.a = step.k + std::int64_t{unit} * kMatrixTile * shape_.depth,
          .b = scratch_.q + std::int64_t{step.row} * shape_.depth,
          .depth = shape_.depth,
          .c = to,
          .add = false};
}

MatrixProduct MatrixQueryBlock::values_of(int tile_of_dims) const {
  return {.a = previous_.v + std::int64_t{tile_of_dims} * kMatrixTile * shape_.key_words,
          .b = p_of(1 - p_turn_, 0),
          .depth = kernels_.words(previous_.units * kMatrixTile),
          .c = o_of(previous_.row) + tile_of_dims * kMatrixTile * kMatrixTile,
          .add = true};
}

MatrixScores MatrixQueryBlock::unit_of(const Step& step, int unit, const float* scores) const {
  const int key = unit * kMatrixTile;
  KeyLimits limits = step.limits;
  for (int* limit : {&limits.begin, &limits.end, &limits.key_begin, &limits.key_end}) *limit -= key;
  return {.scores = scores,
          .score_scale = score_scale_,
          .masked = !step.seen_by_all.contains({key, key + kMatrixTile}),
          .limits = limits};
}

}  // namespace cpbench
