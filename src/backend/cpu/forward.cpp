// Forward pass of the kernel `blocked`: K and V of a head are packed once, by blocks of keys; the work items are blocks
// of query rows of one head (query_block.hpp, matrix_query_block.hpp).
#include <algorithm>
#include <span>

#include "backend/cpu/blocked.hpp"
#include "backend/cpu/matrix_query_block.hpp"
#include "backend/cpu/query_block.hpp"

namespace cpbench {
namespace {

constexpr std::int64_t kPackedBudget = std::int64_t{16} << 20;  // words packed at a time, unless one head needs more

class ForwardPass {
 public:
  ForwardPass(const AttendArguments& a, const Microkernels& kernels, BlockedWorkspace& workspace,
              const KernelContext& context)
      : a_(a), kernels_(kernels), workspace_(workspace), context_(context), shape_(a, kernels) {
    used_.assign(static_cast<std::size_t>(shape_.key_blocks), false);
    for (const Tile& tile : a.tiles) {
      const auto first = static_cast<std::size_t>(tile.k_begin / shape_.key_block);
      const auto last = static_cast<std::size_t>((tile.k_end() - 1) / shape_.key_block);
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
      kernels_.matrix_unit != nullptr ? attend<MatrixQueryBlock>(some, packed) : attend<QueryBlock>(some, packed);
    }
  }

 private:
  /// The blocks with most pairs first, so that no thread starts a long one when the others are about to end.
  void order_query_blocks() {
    std::vector<std::pair<int128, std::int64_t>> blocks;
    for (std::int64_t block = 0; block < shape_.query_blocks; ++block) {
      int128 pairs = 0;
      const std::int64_t row = block * shape_.query_block;
      for (const Tile& tile : a_.tiles) pairs += pairs_of(rows_of(tile, row, row + shape_.query_block));
      blocks.emplace_back(-pairs, block);
    }
    std::sort(blocks.begin(), blocks.end());
    for (const auto& [pairs, block] : blocks) order_.push_back(block);
  }

  void pack(std::span<const KvHead> heads, float* packed) {
    parallel_for(
        static_cast<std::int64_t>(heads.size()) * shape_.key_blocks, context_, [&](std::int64_t item, Poller&) {
          const std::int64_t block = item % shape_.key_blocks;
          if (!used_[static_cast<std::size_t>(block)]) return;
          pack(heads[static_cast<std::size_t>(item / shape_.key_blocks)], block, packed + item * shape_.block_words());
        });
  }

  void pack(const KvHead& kv, std::int64_t block, float* k) {
    const std::int64_t key0 = block * shape_.key_block;
    const std::int64_t count = std::min<std::int64_t>(shape_.key_block, shape_.keys - key0);
    const auto rows_of = [&](const TensorView& tensor) {
      return HeadRows{tensor, kv.b, kv.head, key0, count, shape_.first_key - key0};
    };
    float* v = k + shape_.k_block_words;
    if (kernels_.matrix_unit != nullptr) {
      pack_matrix_rows(rows_of(a_.k), shape_.key_block, shape_.depth, k);
      pack_matrix_dims(rows_of(a_.v), shape_.key_block, v);
    } else {
      pack_columns(rows_of(a_.k), shape_.key_block, kernels_.panel, shape_.depth, kernels_.bf16_pairs, 1, k);
      pack_rows(rows_of(a_.v), shape_.key_block, kernels_.panel, kernels_.bf16_pairs, v);
    }
  }

  template <class Block>
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
    const auto count = static_cast<std::int64_t>(items.size());
    parallel_for(count, context_, [&](std::int64_t i, Poller& poller) {
      AlignedBuffer& memory = workspace_.per_thread[static_cast<std::size_t>(omp_get_thread_num())];
      const typename Block::Scratch scratch(memory, shape_, kernels_);
      const auto query_block = [&](std::int64_t index) {
        const Item& item = items[static_cast<std::size_t>(index)];
        return Block(a_, kernels_, shape_, scratch, heads[item.kv].b, item.head, item.block);
      };
      Block block = query_block(i);
      if (const std::int64_t next = i + context_.threads; next < count) block.ask_for_begin_of(query_block(next));
      const auto kv = static_cast<std::int64_t>(items[static_cast<std::size_t>(i)].kv);
      block.run(packed + kv * shape_.key_blocks * shape_.block_words(), poller);
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
