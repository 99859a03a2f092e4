// Forward pass of the kernel `blocked`.
//
// K and V of a head are packed once, by blocks of keys. A work item is a block of query rows of one head: it walks over
// the blocks of keys that its tiles touch, and for each makes P of the whole block (scores), then adds P V to O.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <span>

#include "backend/cpu/band.hpp"
#include "backend/cpu/blocked.hpp"
#include "backend/cpu/pack.hpp"
#include "backend/cpu/parallel.hpp"

namespace cpbench {
namespace {

constexpr int kQueryBlock = 96;                                 // 48 to 192 make no difference
constexpr std::int64_t kPackedBudget = std::int64_t{16} << 20;  // words packed at a time, unless one head needs more
constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();
constexpr auto kLog2e = static_cast<float>(std::numbers::log2e);
constexpr auto kLn2 = static_cast<float>(std::numbers::ln2);

/// Sizes that follow from the arguments and the micro-kernels; the packed forms of K and V of one head.
struct ForwardShape {
  ForwardShape(const AttendArguments& a, const Microkernels& kernels)
      : key_block(kBlockWords * kernels.per_word()),
        keys(key_end(a.tiles)),
        key_blocks((keys + key_block - 1) / key_block),
        query_blocks((a.q.rows + kQueryBlock - 1) / kQueryBlock),
        depth(kernels.words(static_cast<int>(a.k.dim))),
        dim_v(static_cast<int>(a.v.dim)),
        dim_v_lanes(static_cast<int>(round_up(a.v.dim, kernels.lanes))),
        k_block_words(key_block * depth),
        v_block_words(kBlockWords * round_up(a.v.dim, kernels.panel)) {}

  int key_block;      ///< keys of a block: a multiple of the panel
  std::int64_t keys;  ///< that the tiles reach
  std::int64_t key_blocks, query_blocks;
  int depth;               ///< words of head_dim
  int dim_v, dim_v_lanes;  ///< the latter rounded up to whole vectors
  std::int64_t k_block_words, v_block_words;

  std::int64_t block_words() const { return k_block_words + v_block_words; }
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

/// Scratch of a work item.
struct ForwardScratch {
  ForwardScratch(AlignedBuffer& buffer, const ForwardShape& shape, const Microkernels& kernels) {
    const std::int64_t q_words = kQueryBlock * shape.depth, p_words = kQueryBlock * kBlockStride;
    const std::int64_t o_words = kQueryBlock * shape.dim_v_lanes, l_words = kQueryBlock * kernels.lanes;
    Arena arena(buffer.reserve(Arena::padded(q_words) + Arena::padded(p_words) + Arena::padded(o_words) +
                               Arena::padded(l_words) + 2 * Arena::padded(kQueryBlock)));
    q = arena.take(q_words);
    p = arena.take(p_words);
    o = arena.take(o_words);
    l = arena.take(l_words);
    m = arena.take(kQueryBlock);
    bound = arena.take(kQueryBlock);
  }
  float *q, *p, *o, *l, *m, *bound;
};

class QueryBlock {
 public:
  QueryBlock(const AttendArguments& a, const Microkernels& kernels, const ForwardShape& shape,
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

  void run(const float* packed, Poller& poller) {
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

 private:
  void load_state() {
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

  void start() {
    std::fill_n(o_, padded_rows_ * shape_.dim_v_lanes, 0.0f);
    const float sink =
        a_.sink == nullptr ? kMinusInfinity : a_.sink[a_.heads.q_global + head_ - a_.heads.q_begin] * kLog2e;
    if (sink == kMinusInfinity) return;
    const float m = std::ceil(sink);  // an integer, as everywhere
    for (int r = 0; r < rows_; ++r) {
      set_maximum(r, m);
      scratch_.l[r * kernels_.lanes] = std::exp2(sink - m);
    }
  }

  /// The row has an m. One that has seen nothing yet has 0, and a bound below every score.
  void set_maximum(int row, float m) {
    scratch_.m[row] = m;
    scratch_.bound[row] = kRaiseAbove;
  }

  void pack_q() {
    pack_columns({a_.q, b_, head_, row0_, rows_}, padded_rows_, kTileRows, kernels_.bf16_pairs, score_scale_,
                 scratch_.q);
  }

  /// P of every row tile against the keys that it sees in the block. A panel of K is used by all rows before the next.
  void make_probabilities(const BlockBand& band, const float* k) {
    for (int key0 = band.key_begin / kernels_.panel * kernels_.panel; key0 < band.key_end; key0 += kernels_.panel) {
      for (int row = 0; row < padded_rows_; row += kTileRows) {
        const BlockRange seen = band.keys_of(row, row + kTileRows);
        const int begin = std::max(seen.begin, key0) / kernels_.lanes * kernels_.lanes;
        const int end = std::min(seen.end, key0 + kernels_.panel);
        if (begin < end) make_tile(band, k + key0 * shape_.depth + (begin - key0), row, begin, end, seen.begin);
      }
    }
  }

  void make_tile(const BlockBand& band, const float* k, int row, int key, int key_end, int seen_begin) {
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

  /// O += P V, each row tile over the keys that it sees.
  void add_values(const BlockBand& band, const float* v) {
    for (int dim = 0; dim < shape_.dim_v; dim += kernels_.panel) {
      const int vectors = std::min(kernels_.panel, shape_.dim_v_lanes - dim) / kernels_.lanes;
      for (int row = 0; row < padded_rows_; row += kTileRows) {
        const BlockRange seen = band.keys_of(row, row + kTileRows);
        if (seen.empty()) continue;
        const int begin = seen.begin / kernels_.per_word();
        const int end = (seen.end + kernels_.per_word() - 1) / kernels_.per_word();
        kernels_.product({.a = scratch_.p + row * kBlockStride + begin,
                          .b = v + dim * kBlockWords + begin * kernels_.panel,
                          .depth = end - begin,
                          .vectors = vectors,
                          .alpha = 1,
                          .c = o_row(row) + dim,
                          .c_stride = shape_.dim_v_lanes});
      }
    }
  }

  void store_state() {
    for (int r = 0; r < rows_; ++r) {
      float sum = 0;
      for (int lane = 0; lane < kernels_.lanes; ++lane) sum += scratch_.l[r * kernels_.lanes + lane];
      state_.m[r] = scratch_.bound[r] == kMinusInfinity ? kMinusInfinity : scratch_.m[r];
      state_.l[r] = sum;
      if (!in_place_) std::copy_n(o_row(r), shape_.dim_v, state_.o + r * shape_.dim_v);
    }
  }

  void finish() {
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
};

class ForwardPass {
 public:
  ForwardPass(const AttendArguments& a, const Microkernels& kernels, BlockedWorkspace& workspace,
              const KernelContext& context)
      : a_(a), kernels_(kernels), workspace_(workspace), context_(context), shape_(a, kernels) {
    used_.assign(static_cast<std::size_t>(shape_.key_blocks), false);
    for (const Tile& tile : a.tiles) {
      const auto first = static_cast<std::size_t>(tile.k_begin / shape_.key_block);
      const auto last = static_cast<std::size_t>((tile.k_begin + tile.k_count - 1) / shape_.key_block);
      for (std::size_t block = first; block <= last; ++block) used_[block] = true;
    }
    order_query_blocks();
  }

  void run() {
    const std::vector<KvHead> heads = kv_heads_of(a_.heads, a_.group, a_.q.batch);
    const std::int64_t head_words = shape_.key_blocks * shape_.block_words();
    const auto at_a_time =
        static_cast<std::size_t>(std::max<std::int64_t>(1, kPackedBudget / std::max<std::int64_t>(1, head_words)));
    for (std::size_t begin = 0; begin < heads.size(); begin += at_a_time) {
      const std::span<const KvHead> some(heads.data() + begin, std::min(at_a_time, heads.size() - begin));
      float* packed = workspace_.shared.reserve(static_cast<std::int64_t>(some.size()) * head_words);
      pack(some, packed);
      attend(some, packed);
    }
  }

 private:
  /// The blocks with most pairs first, so that no thread starts a long one when the others are about to end.
  void order_query_blocks() {
    std::vector<std::pair<int128, std::int64_t>> blocks;
    for (std::int64_t block = 0; block < shape_.query_blocks; ++block) {
      int128 pairs = 0;
      for (const Tile& tile : a_.tiles) pairs += pairs_of_rows(tile, block * kQueryBlock, kQueryBlock);
      blocks.emplace_back(-pairs, block);
    }
    std::sort(blocks.begin(), blocks.end());
    for (const auto& [pairs, block] : blocks) order_.push_back(block);
  }

  static int128 pairs_of_rows(const Tile& tile, std::int64_t row, std::int64_t count) {
    const std::int64_t begin = std::max(row, tile.q_begin), end = std::min(row + count, tile.q_begin + tile.q_count);
    if (begin >= end) return 0;
    const std::int64_t shift = begin - tile.q_begin;
    return pairs_of(Tile{begin, end - begin, tile.k_begin, tile.k_count, tile.lo + shift, tile.hi + shift});
  }

  void pack(std::span<const KvHead> heads, float* packed) {
    parallel_for(static_cast<std::int64_t>(heads.size()) * shape_.key_blocks, context_,
                 [&](std::int64_t item, Poller&) {
                   const std::int64_t block = item % shape_.key_blocks;
                   if (!used_[static_cast<std::size_t>(block)]) return;
                   const KvHead& kv = heads[static_cast<std::size_t>(item / shape_.key_blocks)];
                   const std::int64_t key0 = block * shape_.key_block;
                   const std::int64_t count = std::min<std::int64_t>(shape_.key_block, shape_.keys - key0);
                   float* to = packed + item * shape_.block_words();
                   pack_columns({a_.k, kv.b, kv.head, key0, count}, shape_.key_block, kernels_.panel,
                                kernels_.bf16_pairs, 1, to);
                   pack_rows({a_.v, kv.b, kv.head, key0, count}, shape_.key_block, kernels_.panel, kernels_.bf16_pairs,
                             to + shape_.k_block_words);
                 });
  }

  void attend(std::span<const KvHead> heads, const float* packed) {
    struct Item {
      std::size_t kv;
      int head;
      std::int64_t block;
    };
    std::vector<Item> items;
    for (std::size_t kv = 0; kv < heads.size(); ++kv) {
      for (int q = 0; q < heads[kv].q_count; ++q) {
        for (const std::int64_t block : order_) items.push_back({kv, heads[kv].q_begin + q, block});
      }
    }
    parallel_for(static_cast<std::int64_t>(items.size()), context_, [&](std::int64_t i, Poller& poller) {
      const Item& item = items[static_cast<std::size_t>(i)];
      const ForwardScratch scratch(workspace_.per_thread[static_cast<std::size_t>(omp_get_thread_num())], shape_,
                                   kernels_);
      QueryBlock(a_, kernels_, shape_, scratch, heads[item.kv].b, item.head, item.block)
          .run(packed + static_cast<std::int64_t>(item.kv) * shape_.key_blocks * shape_.block_words(), poller);
    });
  }

  const AttendArguments& a_;
  const Microkernels& kernels_;
  BlockedWorkspace& workspace_;
  const KernelContext& context_;
  ForwardShape shape_;
  std::vector<bool> used_;           ///< by block of keys
  std::vector<std::int64_t> order_;  ///< of query blocks
};

}  // namespace

void attend_blocked(const AttendArguments& arguments, const Microkernels& kernels, BlockedWorkspace& workspace,
                    const KernelContext& context) {
  ForwardPass(arguments, kernels, workspace, context).run();
}

}  // namespace cpbench
