// Forward pass of the kernel `blocked` on a matrix unit: what is done for a block of query rows of one head. All is
// transposed: queries are columns, so that m, l and what rescales O belong to lanes of vectors.
#pragma once

#include <cstdint>

#include "backend/cpu/aligned_buffer.hpp"
#include "backend/cpu/band.hpp"
#include "backend/cpu/forward_shape.hpp"
#include "backend/cpu/microkernels.hpp"
#include "backend/cpu/parallel.hpp"
#include "backend/kernel.hpp"

namespace cpbench {

/// Scratch of a work item. What a tile of queries needs for a block of keys stays in the first-level cache: Q, O, two
/// blocks of P and two of scores, 48 KiB for a head_dim of 128. K and V pass by.
struct MatrixQueryScratch {
  MatrixQueryScratch(AlignedBuffer& buffer, const ForwardShape& shape, const Microkernels& kernels);

  float* p[2];        ///< [key words][kMatrixTile]: of two blocks of keys in turn
  float* scores[2];   ///< [kMatrixTile keys][kMatrixTile queries], in turn
  float* all_scores;  ///< [key block][kMatrixTile]: to see how high m must be
  float* o_rows;      ///< [kMatrixTile][dim_v_lanes]: O of a tile at its end, by rows
  float *q, *o;       ///< by tile of queries: [depth][kMatrixTile] and [dim_v_lanes][kMatrixTile]
  float *m, *bound, *l;
};

/// A work item: the tiles of queries go one after the other over the keys that the second-level cache holds at a time.
class MatrixQueryBlock {
 public:
  using Scratch = MatrixQueryScratch;

  MatrixQueryBlock(const AttendArguments& a, const Microkernels& kernels, const ForwardShape& shape,
                   const MatrixQueryScratch& scratch, std::int64_t b, int head, std::int64_t block);

  /// Nothing is asked for ahead: products take too few steps.
  void ask_for_begin_of(const MatrixQueryBlock&) {}
  /// `packed`: for every block of keys of the K/V head, K as rows of A (key_block * depth words), then V^T.
  void run(const float* packed, Poller& poller);

 private:
  /// A tile of queries and the keys of a block that it sees: whole units of kMatrixTile keys.
  struct Step {
    int row;         ///< the tile's first, of the block's
    const float* k;  ///< the first key's row
    const float* v;  ///< V^T from the first key on
    int units;
    BlockRange seen_by_all;  ///< of these keys, those that all queries see
    BlockRange rows;         ///< of the tile: those that see any key
    KeyLimits limits;
  };
  /// A value for each query of a tile.
  struct OfQueries {
    alignas(kLineBytes) float values[kMatrixTile];
  };
  static constexpr int kMostProducts = 1 + kMaxPackedDim / kMatrixTile;  ///< that are done meanwhile

  void load_state();
  void set_maximum(int row, float m);
  bool sees_any_key() const;
  /// A tile of the program: a band of the queries' rows and the keys.
  void attend_band(const Tile& tile, const float* packed, Poller& poller);
  /// The keys `seen` of a block, of which `block_key` is the first and `block` the packed form.
  Step step_of(const BlockBand& band, int row, const BlockRange& seen, const float* block, int block_key) const;
  /// Takes a step: P of the one before, while the scores of this one begin, and O of the one before that.
  void take(const Step& step);
  void make_probabilities(const Step* next);
  /// Where m was too low for them; returns their sums.
  OfQueries make_probabilities_again();
  void finish_steps();
  /// What is left of O += P V of the step before the current one.
  void add_values();

  /// Of the current step: in units of log2, -inf where a query sees no key.
  OfQueries highest_scores() const;
  /// A query that sees its first keys begins above the highest of its scores, by kHeadroom.
  bool any_without_maximum() const;
  void begin_maximum();
  /// Whether m must be raised is seen in the sums of P: that takes no comparison a vector. (NaN is not high.) It is
  /// raised by integers, so that O and l are scaled exactly; the step before has been added to O.
  bool too_high(const OfQueries& sums) const;
  void raise_maximum();

  MatrixProduct scores_of(const Step& step, int unit, float* to) const;
  MatrixProduct values_of(int tile_of_dims) const;
  MatrixScores unit_of(const Step& step, int unit, const float* scores) const;
  float* p_of(int turn, int unit) const { return scratch_.p[turn] + kernels_.words(unit * kMatrixTile) * kMatrixTile; }
  float* all_scores_of(int unit) const { return scratch_.all_scores + unit * kMatrixTile * kMatrixTile; }
  float* o_of(int row) const { return o_ + row * shape_.dim_v_lanes; }

  void store_state();
  /// Calls work(of_state, of_scratch, count) for each dim of each tile's O.
  template <typename Work>
  void for_rows_of_state(Work&& work) const;
  /// out and lse of the tile that begins with the row.
  void finish(int row);

  const AttendArguments& a_;
  const ForwardShape& shape_;
  const MatrixQueryScratch& scratch_;
  const MatrixUnit& unit_;
  const Microkernels& kernels_;
  std::int64_t b_;
  int head_;
  std::int64_t row0_;
  int rows_, padded_rows_;
  StateRows state_;
  bool in_place_;  ///< O is accumulated in the state
  float* o_;       ///< by tile of queries: [dim_v_lanes][kMatrixTile]
  float score_scale_;
  bool packed_q_ = false;

  Step current_{}, previous_{};  ///< without units: none
  int turn_ = 0;                 ///< which of the scores come next
  int p_turn_ = 0;               ///< which P is the current step's
};

}  // namespace cpbench
