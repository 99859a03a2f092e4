#include "vgpu/attention/cases.hpp"

#include <algorithm>
#include <array>

#include "shard/shard.hpp"
#include "vgpu/attention/covering.hpp"

namespace cpbench::test {
namespace {

constexpr std::int64_t kSeqLen = 290;
constexpr int kRanks = 2;

struct MaskOfDocuments {
  const char* name;
  Mask mask;
  bool documents;
};
const std::array kMasks = {
    MaskOfDocuments{"full", Mask::full(), false},
    MaskOfDocuments{"causal", Mask::causal(), false},
    MaskOfDocuments{"left_window", Mask::window(40, 0), false},
    MaskOfDocuments{"window", Mask::window(25, 17), false},
    MaskOfDocuments{"full_documents", Mask::full(), true},
    MaskOfDocuments{"causal_documents", Mask::causal(), true},
    MaskOfDocuments{"window_documents", Mask::window(30, 5), true},
};
constexpr std::array kShards = {ShardKind::kContiguous, ShardKind::kZigzag, ShardKind::kStriped,
                                ShardKind::kZigzagDocs};
struct HeadSizes {
  int dim, dim_v;
};
constexpr std::array kHeadSizes = {HeadSizes{8, 8},   HeadSizes{40, 40},   HeadSizes{64, 64},   HeadSizes{72, 72},
                                   HeadSizes{96, 96}, HeadSizes{128, 128}, HeadSizes{192, 128}, HeadSizes{256, 256}};
struct HeadCounts {
  int heads, kv_heads;
};
constexpr std::array kHeadCounts = {HeadCounts{2, 2}, HeadCounts{4, 2}, HeadCounts{2, 1}};
constexpr std::array kDtypes = {DType::kBf16, DType::kFp16, DType::kFp32};
constexpr std::array kLayouts = {Layout::kBshd, Layout::kSbhd, Layout::kBhsd};
constexpr std::array kOrders = {vgpu::Order::kEager, vgpu::Order::kLate, vgpu::Order::kRandom};

Documents documents_of(const MaskOfDocuments& mask) {
  constexpr std::int64_t kLengths[] = {7, 90, 1, 60, 132};
  return mask.documents ? Documents::from_lengths(kLengths, kSeqLen) : Documents::whole(kSeqLen);
}

/// The queries of the last rank, against the keys of all ranks, one rank's behind the other's.
void shard(AttentionCase& c, const MaskOfDocuments& mask, ShardKind kind) {
  const Documents documents = documents_of(mask);
  const std::vector<Tokens> shards = shard_over_ring(kind, documents, kRanks);
  c.q_rows = count_of(shards.back());
  c.k_rows = 0;
  for (const Tokens& keys : shards) {
    for (Tile tile : tiles_of(shards.back(), keys, mask.mask, documents)) {
      tile.k_begin += c.k_rows;
      c.tiles.push_back(tile);
    }
    c.k_rows += count_of(keys);
  }
}

}  // namespace

std::vector<VirtualCase> shard_cases() {
  constexpr int kCalls = 3, kSigns = 2, kSinks = 2, kGradients = 2;
  const std::array sizes = {static_cast<int>(kMasks.size()),
                            static_cast<int>(kShards.size()),
                            static_cast<int>(kHeadSizes.size()),
                            static_cast<int>(kHeadCounts.size()),
                            static_cast<int>(kDtypes.size()),
                            static_cast<int>(kLayouts.size()),
                            static_cast<int>(kOrders.size()),
                            kCalls,
                            kSigns,
                            kSinks,
                            kGradients};
  std::vector<VirtualCase> cases;
  for (const std::vector<int>& row : covering_design(sizes)) {
    auto value = row.begin();
    const auto next = [&](const auto& values) { return values[static_cast<std::size_t>(*value++)]; };
    const MaskOfDocuments mask = next(kMasks);
    const ShardKind kind = next(kShards);
    const HeadSizes size = next(kHeadSizes);
    const HeadCounts count = next(kHeadCounts);
    AttentionCase c{.heads = count.heads,
                    .kv_heads = count.kv_heads,
                    .dim = size.dim,
                    .dim_v = size.dim_v,
                    .map = {0, count.heads, 0, 0},
                    .group = count.heads / count.kv_heads};
    c.dtype = next(kDtypes);
    c.layout = next(kLayouts);
    const vgpu::Order order = next(kOrders);
    c.calls = 1 + *value++;
    c.scale = *value++ == 0 ? 0.15 : -0.15;
    c.sink = *value++ == 1;
    c.gradient_dtype = *value++ == 0 ? DType::kFp32 : c.dtype;
    shard(c, mask, kind);
    c.name = std::string(mask.name) + "_" + std::string(name_of(kind)) + "_" + std::to_string(size.dim);
    std::replace(c.name.begin(), c.name.end(), '-', '_');
    cases.push_back({c, {order, cases.size()}});
  }
  return cases;
}

std::vector<VirtualCase> edge_cases() {
  std::vector<AttentionCase> list;
  const auto add = [&](AttentionCase c) {
    c.dtype = list.size() % 2 == 0 ? DType::kBf16 : DType::kFp16;
    list.push_back(std::move(c));
  };
  add({.name = "one_pair", .q_rows = 1, .k_rows = 1, .tiles = {full_tile(0, 1, 0, 1)}});
  add({.name = "whole_blocks", .q_rows = 128, .k_rows = 256, .tiles = {full_tile(0, 128, 0, 256)}});
  add({.name = "one_row_more", .q_rows = 129, .k_rows = 257, .tiles = {full_tile(0, 129, 0, 257)}});
  add({.name = "one_row_less", .q_rows = 127, .k_rows = 255, .tiles = {full_tile(0, 127, 0, 255)}});
  add({.name = "long_heads_one_row_more",
       .q_rows = 65,
       .k_rows = 177,
       .dim = 128,
       .dim_v = 128,
       .tiles = {full_tile(0, 65, 0, 177)}});
  add({.name = "diagonal", .q_rows = 200, .k_rows = 200, .tiles = {{0, 200, 0, 200, 0, 0}}});
  add({.name = "below_the_diagonal", .q_rows = 150, .k_rows = 150, .tiles = {{0, 150, 0, 150, -149, -1}}});
  add({.name = "short_documents",
       .q_rows = 140,
       .k_rows = 140,
       .tiles = {causal_tile(0, 64), causal_tile(64, 1), causal_tile(65, 63), causal_tile(128, 12)}});
  add({.name = "rows_that_see_nothing", .q_rows = 130, .k_rows = 90, .tiles = {full_tile(40, 50, 10, 60)}});
  add({.name = "more_keys_in_memory",
       .q_rows = 70,
       .k_rows = 75,
       .tiles = {full_tile(0, 70, 0, 75)},
       .spare_k_rows = 300});
  add({.name = "more_gradients_in_memory",
       .q_rows = 70,
       .k_rows = 75,
       .tiles = {full_tile(0, 70, 0, 75)},
       .spare_dk_rows = 300});
  add({.name = "no_tiles", .q_rows = 10, .k_rows = 10});
  add({.name = "no_tiles_but_sink", .q_rows = 10, .k_rows = 10, .sink = true});
  add({.name = "no_queries", .q_rows = 0, .k_rows = 10});
  add({.name = "no_keys", .q_rows = 10, .k_rows = 0});
  add({.name = "more_calls_than_tiles", .q_rows = 64, .k_rows = 64, .tiles = {causal_tile(0, 64)}, .calls = 3});
  add({.name = "large_logits", .q_rows = 64, .k_rows = 300, .magnitude = 4, .tiles = {full_tile(0, 64, 0, 300)}});
  add({.name = "head_map_with_offsets",
       .batch = 2,
       .q_rows = 50,
       .k_rows = 60,
       .heads = 5,
       .kv_heads = 3,
       .map = {1, 3, 6, 1},
       .group = 4,
       .sink = true,
       .tiles = {full_tile(0, 50, 0, 60)}});
  add({.name = "values_shorter", .q_rows = 90, .k_rows = 90, .dim = 96, .dim_v = 40, .tiles = {causal_tile(0, 90)}});
  add({.name = "values_longer", .q_rows = 90, .k_rows = 90, .dim = 8, .dim_v = 256, .tiles = {causal_tile(0, 90)}});
  add({.name = "dim_192", .q_rows = 90, .k_rows = 90, .dim = 192, .dim_v = 192, .tiles = {causal_tile(0, 90)}});
  std::vector<VirtualCase> cases;
  for (const AttentionCase& c : list) cases.push_back({c, {vgpu::Order::kRandom, cases.size()}});
  return cases;
}

}  // namespace cpbench::test
