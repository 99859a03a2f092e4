// Forward pass of the kernel `blocked`: what is done for a block of query rows of one head.
#pragma once

#include "backend/cpu/aligned_buffer.hpp"
#include "backend/cpu/band.hpp"
#include "backend/cpu/forward_shape.hpp"
#include "backend/cpu/microkernels.hpp"
#include "backend/cpu/parallel.hpp"
#include "backend/cpu/tile_runs.hpp"
#include "backend/cpu/upcoming_rows.hpp"

namespace cpbench {

/// Scratch of a work item.
struct QueryScratch {
  QueryScratch(AlignedBuffer& buffer, const ForwardShape& shape, const Microkernels& kernels) {
    const std::int64_t rows = shape.query_block;
    const std::int64_t q_words = rows * shape.depth, p_words = rows * kBlockStride;
    const std::int64_t o_words = rows * shape.dim_v_lanes, l_words = rows * kernels.lanes;
    Arena arena(buffer.reserve(Arena::padded(q_words) + Arena::padded(p_words) + Arena::padded(o_words) +
                               Arena::padded(l_words) + 2 * Arena::padded(rows)));
    q = arena.take(q_words);
    p = arena.take(p_words);
    o = arena.take(o_words);
    l = arena.take(l_words);
    m = arena.take(rows);
    bound = arena.take(rows);
  }
  float *q, *p, *o, *l, *m, *bound;
};

/// A work item: walks over the blocks of keys that the tiles touch, and for each makes P of the whole block, then adds
/// P V to O.
class QueryBlock {
 public:
  using Scratch = QueryScratch;

  QueryBlock(const AttendArguments& a, const Microkernels& kernels, const ForwardShape& shape,
             const QueryScratch& scratch, std::int64_t b, int head, std::int64_t block);

  /// To ask the memory, while it runs, for the rows that `next` begins with. It asks for those that it ends with
  /// anyway.
  void ask_for_begin_of(const QueryBlock& next);
  /// `packed`: for every block of keys of the K/V head, its panels of K (key_block * depth words), then those of V.
  void run(const float* packed, Poller& poller);

 private:
  void load_state();
  void start();
  /// The row has an m. One that has seen nothing yet has 0, and a bound below every score.
  void set_maximum(int row, float m);
  void pack_q();
  /// P of every row tile against the keys that it sees in the block. Whatever K a call of `scores` takes is used by all
  /// rows before the next.
  void make_probabilities(const BlockBand& band, const RowTiles& tiles, const float* k);
  void make_tiles(const BlockBand& band, const float* k, const TileRun& run, int made_begin, bool masked);
  /// O += P V, each row tile over the keys that it sees.
  void add_values(const RowTiles& tiles, const float* v);
  void add_values_of(const TileRun& run, const float* panel, int dim, Ahead next);
  void store_state();
  void finish();
  /// The row tile's share of a panel of `depth` rows that comes next.
  Ahead share(const float* panel, int depth, int tile) const;
  /// While there are upcoming rows: the first tiles share the panel, a line of each of its rows, and the others ask for
  /// upcoming rows.
  Ahead share_or_rows(const float* panel, int tile);
  float* o_row(int row) const { return o_ + row * shape_.dim_v_lanes; }

  const AttendArguments& a_;
  const Microkernels& kernels_;
  const ForwardShape& shape_;
  const QueryScratch& scratch_;
  std::int64_t b_;
  int head_;
  std::int64_t row0_;
  int rows_, padded_rows_;
  StateRows state_;
  bool in_place_;
  float* o_;
  float score_scale_;
  UpcomingRows upcoming_;
};

}  // namespace cpbench
