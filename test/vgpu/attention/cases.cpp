#include "vgpu/attention/cases.hpp"

#include <algorithm>
#include <array>

#include "backend/support/edge_cases.hpp"
#include "shard/shard.hpp"
#include "vgpu/attention/covering.hpp"

namespace cpbench::test {
namespace {

constexpr std::int64_t kSeqLen = 200;
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
constexpr std::array kHeadSizes = {HeadSizes{8, 8},     HeadSizes{40, 40},   HeadSizes{64, 64},  HeadSizes{72, 72},
                                   HeadSizes{128, 128}, HeadSizes{192, 128}, HeadSizes{256, 256}};
struct HeadCounts {
  int heads, kv_heads;
};
constexpr std::array kHeadCounts = {HeadCounts{2, 2}, HeadCounts{4, 2}, HeadCounts{2, 1}};
constexpr std::array kDtypes = {DType::kBf16, DType::kFp16, DType::kFp32};
constexpr std::array kLayouts = {Layout::kBshd, Layout::kSbhd, Layout::kBhsd, Layout::kThd};
constexpr std::array kOrders = {vgpu::Order::kEager, vgpu::Order::kLate, vgpu::Order::kRandom};

Documents documents_of(const MaskOfDocuments& mask) {
  constexpr std::int64_t kLengths[] = {7, 62, 1, 40, 90};
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
  constexpr int kCalls = 3, kSinks = 2, kGradients = 2;
  const std::array sizes = {static_cast<int>(kMasks.size()),
                            static_cast<int>(kShards.size()),
                            static_cast<int>(kHeadSizes.size()),
                            static_cast<int>(kHeadCounts.size()),
                            static_cast<int>(kDtypes.size()),
                            static_cast<int>(kLayouts.size()),
                            static_cast<int>(kOrders.size()),
                            kCalls,
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
                    .group = count.heads / count.kv_heads,
                    .scale = 0.15};
    c.dtype = next(kDtypes);
    c.layout = next(kLayouts);
    const vgpu::Order order = next(kOrders);
    c.calls = 1 + *value++;
    c.sink = *value++ == 1;
    c.gradient_dtype = *value++ == 0 ? DType::kFp32 : c.dtype;
    shard(c, mask, kind);
    c.name = std::string(mask.name) + "_" + std::string(name_of(kind)) + "_" + std::to_string(size.dim);
    std::replace(c.name.begin(), c.name.end(), '-', '_');
    cases.push_back({c, {order, cases.size()}});
  }
  return cases;
}

std::vector<VirtualCase> virtual_edge_cases() {
  std::vector<AttentionCase> list = edge_cases();
  const auto add = [&](AttentionCase c) { list.push_back(std::move(c)); };
  add({.name = "whole_blocks", .q_rows = 128, .k_rows = 256, .tiles = {full_tile(0, 128, 0, 256)}});
  add({.name = "one_row_more", .q_rows = 129, .k_rows = 257, .tiles = {full_tile(0, 129, 0, 257)}});
  add({.name = "one_row_less", .q_rows = 127, .k_rows = 255, .tiles = {full_tile(0, 127, 0, 255)}});
  add({.name = "long_heads_one_row_more",
       .q_rows = 65,
       .k_rows = 177,
       .dim = 128,
       .dim_v = 128,
       .tiles = {full_tile(0, 65, 0, 177)}});
  add({.name = "large_logits", .q_rows = 64, .k_rows = 300, .magnitude = 4, .tiles = {full_tile(0, 64, 0, 300)}});
  for (const int dim : {96, 136, 184, 200, 248}) {
    add({.name = "dim_" + std::to_string(dim),
         .q_rows = 50,
         .k_rows = 70,
         .dim = dim,
         .dim_v = dim,
         .tiles = {causal_tile(0, 50), full_tile(0, 50, 50, 20)}});
  }
  add({.name = "dim_192", .q_rows = 90, .k_rows = 90, .dim = 192, .dim_v = 192, .tiles = {causal_tile(0, 90)}});
  std::vector<VirtualCase> cases;
  for (AttentionCase& c : list) {
    c.dtype = cases.size() % 2 == 0 ? DType::kBf16 : DType::kFp16;
    cases.push_back({std::move(c), {vgpu::Order::kRandom, cases.size()}});
  }
  for (AttentionCase& c : edge_cases()) {  // fp32 has kernels of its own
    c.name += "_fp32";
    cases.push_back({std::move(c), {vgpu::Order::kRandom, cases.size()}});
  }
  return cases;
}

}  // namespace cpbench::test
