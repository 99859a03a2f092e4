// Backward pass of the kernel `blocked`: Q and dO of the query heads are packed once. A work item is a run of key
// blocks of one K/V head, with all query heads that read it (key_block.hpp), and has a dQ of its own: these are summed
// in a fixed order, so results do not depend on which thread did what when.
#include <algorithm>
#include <cstring>
#include <limits>
#include <numbers>
#include <numeric>
#include <span>

#include "backend/cpu/blocked.hpp"
#include "backend/cpu/key_block.hpp"
#include "backend/cpu/parallel.hpp"
#include "backend/cpu/put_rows.hpp"

namespace cpbench {
namespace {

constexpr std::int64_t kPackedBudget = std::int64_t{16} << 20;  // words packed at a time, unless one head needs more
constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();
constexpr auto kLog2e = static_cast<float>(std::numbers::log2e);

class BackwardPass {
 public:
  BackwardPass(const AttendBackwardArguments& a, const Microkernels& kernels, BlockedWorkspace& workspace,
               const KernelContext& context)
      : a_(a), kernels_(kernels), workspace_(workspace), context_(context), shape_(a, kernels) {}

  void run() {
    const std::vector<KvHead> heads = kv_heads_of(a_.heads, a_.group, a_.q.batch);
    zero_what_nothing_reaches(heads);
    if (a_.tiles.empty() || heads.empty()) return;
    const std::int64_t q_heads = std::min(a_.group, a_.heads.count);
    const std::int64_t head_words = q_heads * (packed_words() + dq_words());
    auto at_a_time = static_cast<std::size_t>(std::max<std::int64_t>(1, kPackedBudget / head_words));
    if (const auto threads = static_cast<std::size_t>(context_.threads); at_a_time > threads) {
      at_a_time = at_a_time / threads * threads;
    }
    for (std::size_t begin = 0; begin < heads.size(); begin += at_a_time) {
      run_heads(std::span(heads.data() + begin, std::min(at_a_time, heads.size() - begin)));
    }
  }

 private:
  /// Words of one query head.
  std::int64_t packed_words() const { return shape_.query_blocks * PackedQuery::size(shape_); }
  std::int64_t dq_words() const { return shape_.query_blocks * shape_.query_block * shape_.dim_lanes; }

  /// Accumulators that start here, where no sum is stored into them later.
  void zero_what_nothing_reaches(const std::vector<KvHead>& heads) {
    if (a_.first_dq) zero(a_.dq, shape_.queries, a_.heads.q_begin, a_.heads.q_begin + a_.heads.count);
    if (!a_.first_dkv) return;
    const int head_begin = heads.empty() ? 0 : heads.front().head, head_end = heads.empty() ? 0 : heads.back().head + 1;
    for (const TensorView& gradient : {a_.dk, a_.dv}) {
      zero(gradient, shape_.keys, head_begin, head_end);
      zero(gradient, 0, 0, head_begin);
      zero(gradient, 0, head_end, gradient.heads);
    }
  }

  /// Rows from row_begin on of the heads [head_begin, head_end).
  void zero(const TensorView& tensor, std::int64_t row_begin, std::int64_t head_begin, std::int64_t head_end) {
    constexpr std::int64_t kRows = 64;  // of an item
    const std::int64_t items = (std::max<std::int64_t>(0, tensor.rows - row_begin) + kRows - 1) / kRows;
    if (head_begin >= head_end) return;
    parallel_for(tensor.batch * items, context_, [&](std::int64_t item, Poller&) {
      const std::int64_t b = item / items, begin = row_begin + item % items * kRows;
      for (std::int64_t row = begin; row < std::min(begin + kRows, tensor.rows); ++row) {
        for (std::int64_t head = head_begin; head < head_end; ++head) {  // zero bits are a zero of every dtype
          std::memset(tensor.address(b, row, head), 0, static_cast<std::size_t>(tensor.dim * bytes_of(tensor.dtype)));
        }
      }
    });
  }

  /// Runs of key blocks that one head is divided into, so that all threads have work.
  std::int64_t runs_per_head(std::int64_t heads) const {
    const std::int64_t threads = context_.threads;
    if (heads % threads == 0 || heads >= 8 * threads) return 1;
    return std::min(threads / std::gcd(heads, threads), shape_.key_blocks);
  }

  void run_heads(std::span<const KvHead> heads) {
    q_heads_.clear();
    for (std::size_t kv = 0; kv < heads.size(); ++kv) {
      for (int q = 0; q < heads[kv].q_count; ++q) q_heads_.push_back({heads[kv].b, heads[kv].q_begin + q});
    }
    runs_ = runs_per_head(static_cast<std::int64_t>(heads.size()));
    const auto count = static_cast<std::int64_t>(q_heads_.size());
    packed_ = workspace_.shared.reserve(count * (packed_words() + runs_ * dq_words()));
    dq_ = packed_ + count * packed_words();

    pack();
    const std::vector<std::int64_t> cuts = cut_key_blocks();
    parallel_for(static_cast<std::int64_t>(heads.size()) * runs_, context_, [&](std::int64_t item, Poller& poller) {
      const auto run = static_cast<std::size_t>(item % runs_);
      const auto kv = static_cast<std::size_t>(item / runs_);
      std::size_t q_head = 0;
      for (std::size_t before = 0; before < kv; ++before) q_head += static_cast<std::size_t>(heads[before].q_count);
      const BackwardScratch scratch(workspace_.per_thread[static_cast<std::size_t>(omp_get_thread_num())], shape_);
      for (std::int64_t block = cuts[run]; block < cuts[run + 1]; ++block) {
        attend_key_block(KeyBlock(a_, kernels_, shape_, scratch, heads[kv], block), heads[kv], q_head, run, poller);
      }
    });
    sum_dq();
  }

  struct QueryHead {
    std::int64_t b;
    int head;
  };

  PackedQuery packed(std::size_t q_head, std::int64_t block) const {
    return {packed_ + static_cast<std::int64_t>(q_head) * packed_words() + block * PackedQuery::size(shape_), shape_};
  }
  float* dq(std::size_t q_head, std::size_t run, std::int64_t block) const {
    return dq_ + (static_cast<std::int64_t>(q_head) * runs_ + static_cast<std::int64_t>(run)) * dq_words() +
           block * shape_.query_block * shape_.dim_lanes;
  }

  /// Calls work(q_head, block) for every query block of every query head at hand.
  template <typename Work>
  void for_query_blocks(Work&& work) {
    parallel_for(static_cast<std::int64_t>(q_heads_.size()) * shape_.query_blocks, context_,
                 [&](std::int64_t item, Poller&) {
                   work(static_cast<std::size_t>(item / shape_.query_blocks), item % shape_.query_blocks);
                 });
  }

  void pack() {
    const float score_scale = static_cast<float>(a_.scale) * kLog2e;
    for_query_blocks([&](std::size_t q_head, std::int64_t block) {
      const std::int64_t b = q_heads_[q_head].b;
      const int head = q_heads_[q_head].head;
      const PackedQuery to = packed(q_head, block);
      const std::int64_t row0 = block * shape_.query_block;
      const std::int64_t count = std::min<std::int64_t>(shape_.query_block, shape_.queries - row0);
      const HeadRows q{a_.q, b, head, row0, count}, dout{a_.dout, b, head, row0, count};
      const int width = kernels_.tile_width(), panel = shape_.dims_are_rows ? 1 : kernels_.panel;
      const bool pairs = kernels_.bf16_pairs;
      pack_columns(q, shape_.query_block, width, shape_.depth, pairs, score_scale, to.q);
      pack_columns(dout, shape_.query_block, width, shape_.depth_v, pairs, 1, to.dout);
      pack_rows(q, shape_.query_block, panel, pairs, to.q_columns);
      pack_rows(dout, shape_.query_block, panel, pairs, to.dout_columns);
      for (int r = 0; r < shape_.query_block; ++r) {
        const float lse = r < count ? *a_.lse.at<const float>(b, row0 + r, head) : kMinusInfinity;
        to.lse[r] = lse == kMinusInfinity ? -kMaskedScore : lse * kLog2e;
        to.delta[r] = r < count ? *a_.delta.at<const float>(b, row0 + r, head) : 0;
      }
      for (std::size_t run = 0; run < static_cast<std::size_t>(runs_); ++run) {
        std::fill_n(dq(q_head, run, block), shape_.query_block * shape_.dim_lanes, 0.0f);
      }
    });
  }

  /// Where the runs of key blocks begin, and the end: about equal numbers of pairs.
  std::vector<std::int64_t> cut_key_blocks() const {
    std::vector<int128> pairs_before{0};
    for (std::int64_t block = 0; block < shape_.key_blocks; ++block) {
      int128 pairs = 0;
      const std::int64_t key = block * shape_.key_block;
      for (const Tile& tile : a_.tiles) pairs += pairs_of(keys_of(tile, key, key + shape_.key_block));
      pairs_before.push_back(pairs_before.back() + pairs);
    }
    std::vector<std::int64_t> cuts{0};
    for (std::int64_t run = 1; run < runs_; ++run) {
      const auto cut = std::lower_bound(pairs_before.begin(), pairs_before.end(), pairs_before.back() * run / runs_);
      cuts.push_back(std::min<std::int64_t>(cut - pairs_before.begin(), shape_.key_blocks));
    }
    cuts.push_back(shape_.key_blocks);
    return cuts;
  }

  void attend_key_block(KeyBlock keys, const KvHead& kv, std::size_t q_head, std::size_t run, Poller& poller) {
    for (int q = 0; q < kv.q_count; ++q, ++q_head) {
      for (const Tile& tile : a_.tiles) {
        const std::int64_t last = (tile.q_end() - 1) / shape_.query_block;
        for (std::int64_t block = tile.q_begin / shape_.query_block; block <= last; ++block) {
          const BlockBand band =
              BlockBand::of(tile, block * shape_.query_block, shape_.query_block, keys.key0(), shape_.key_block);
          if (band.empty()) continue;
          keys.add(band, packed(q_head, block), dq(q_head, run, block));
          poller();
        }
      }
    }
    keys.finish();
  }

  void sum_dq() {
    const auto scale = static_cast<float>(a_.scale);
    for_query_blocks([&](std::size_t q_head, std::int64_t block) {
      const std::int64_t b = q_heads_[q_head].b;
      const int head = q_heads_[q_head].head;
      const std::int64_t row0 = block * shape_.query_block;
      const std::int64_t count = std::min<std::int64_t>(shape_.query_block, shape_.queries - row0);
      float* sum = dq(q_head, 0, block);
      for (std::size_t run = 1; run < static_cast<std::size_t>(runs_); ++run) {
        const float* part = dq(q_head, run, block);
        for (std::int64_t i = 0; i < count * shape_.dim_lanes; ++i) sum[i] += part[i];
      }
      put_rows(kernels_, sum, shape_.dim_lanes, count, scale, !a_.first_dq, a_.dq, b, row0, head);
    });
  }

  const AttendBackwardArguments& a_;
  const Microkernels& kernels_;
  BlockedWorkspace& workspace_;
  const KernelContext& context_;
  BackwardShape shape_;
  std::vector<QueryHead> q_heads_;  ///< those of the K/V heads at hand
  std::int64_t runs_ = 1;
  float* packed_ = nullptr;  ///< [q_heads][query blocks] PackedQuery
  float* dq_ = nullptr;      ///< [q_heads][runs][query blocks][query_block][dim_lanes]
};

}  // namespace

void attend_backward_blocked(const AttendBackwardArguments& arguments, const Microkernels& kernels,
                             BlockedWorkspace& workspace, const KernelContext& context) {
  BackwardPass(arguments, kernels, workspace, context).run();
}

}  // namespace cpbench
