// Forward pass of the kernel `blocked`: what is done for a block of query rows of one head.
#pragma once

#include <algorithm>

#include "backend/cpu/aligned_buffer.hpp"
#include "backend/cpu/band.hpp"
#include "backend/cpu/microkernels.hpp"
#include "backend/cpu/pack.hpp"
#include "backend/cpu/parallel.hpp"
#include "backend/cpu/tile_runs.hpp"
#include "backend/cpu/upcoming_rows.hpp"
#include "backend/kernel.hpp"

namespace cpbench {

/// Words of a block along its keys. Long sums load and store O rarely, but a panel of V must stay in the first-level
/// cache: 32 KiB is what AVX-512's takes with 128 words; with twice as many it spills a cache of 48 KiB. The narrower
/// panels of other instruction sets are bounded by the block alone.
inline int key_words(const Microkernels& kernels) {
  constexpr int kPanelBytes = 32 << 10;
  if (kernels.matrix_unit) return kernels.words(kernels.score_keys);
  return std::min(kPanelBytes / (kernels.panel * static_cast<int>(sizeof(float))), kBlockWords);
}

/// Sizes that follow from the arguments and the micro-kernels; the packed forms of K and V of one head.
struct ForwardShape {
  ForwardShape(const AttendArguments& a, const Microkernels& kernels)
      : key_words(cpbench::key_words(kernels)),
        key_block(key_words * kernels.per_word()),
        made_keys(std::max(kernels.depth_unit * kernels.per_word(), kernels.lanes)),
        first_key(key_span(a.tiles).begin),
        keys(key_span(a.tiles).end),
        key_blocks((keys + key_block - 1) / key_block),
        query_block(kernels.query_rows),
        query_blocks((a.q.rows + query_block - 1) / query_block),
        depth(kernels.depth(static_cast<int>(a.k.dim))),
        dim_v(static_cast<int>(a.v.dim)),
        dim_v_lanes(static_cast<int>(round_up(a.v.dim, kernels.lanes))),
        k_block_words(key_block * depth),
        v_block_words(key_words * round_up(a.v.dim, kernels.panel)) {}

  int key_words;  ///< of a block
  int key_block;  ///< keys of a block: a multiple of the panel
  int made_keys;  ///< P is made for multiples of so many keys, a power of two
  /// What the tiles reach: those between. Buffers may have more rows: they share memory with larger ones or lack what
  /// nobody sent, and what is in their other rows is not of this block, nor even finite.
  std::int64_t first_key, keys;
  std::int64_t key_blocks;
  int query_block;  ///< rows
  std::int64_t query_blocks;
  int depth;               ///< words of head_dim
  int dim_v, dim_v_lanes;  ///< the latter rounded up to whole vectors
  std::int64_t k_block_words, v_block_words;

  std::int64_t block_words() const { return k_block_words + v_block_words; }
};

/// Scratch of a work item.
struct ForwardScratch {
  ForwardScratch(AlignedBuffer& buffer, const ForwardShape& shape, const Microkernels& kernels) {
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

/// The state: O [batch, heads, rows, dim_v], then m and l [batch, heads, rows]; m in units of log2, O not yet divided.
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

/// A work item: walks over the blocks of keys that the tiles touch, and for each makes P of the whole block, then adds
/// P V to O.
class QueryBlock {
 public:
  QueryBlock(const AttendArguments& a, const Microkernels& kernels, const ForwardShape& shape,
             const ForwardScratch& scratch, std::int64_t b, int head, std::int64_t block);

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
  /// What comes next is the next panel of K, or with all panels at a time the next block's K.
  Ahead after_scores(const float* k, const float* panel, int row) const;
  /// The row tile's share of a panel of `depth` rows that comes next.
  Ahead share(const float* panel, int depth, int tile) const;
  /// While there are upcoming rows: the first tiles share the panel, a line of each of its rows, and the others ask for
  /// upcoming rows.
  Ahead share_or_rows(const float* panel, int tile);
  float* o_row(int row) const { return o_ + row * shape_.dim_v_lanes; }

  const AttendArguments& a_;
  const Microkernels& kernels_;
  const ForwardShape& shape_;
  const ForwardScratch& scratch_;
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
