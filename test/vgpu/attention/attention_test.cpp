// The GPU's attention kernels on the virtual GPU against the definition.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <tuple>
#include <utility>
#include <vector>

#include "backend/cuda/parameters.hpp"
#include "vgpu/attention/cases.hpp"
#include "vgpu/support/orders.hpp"

namespace cpbench::test {
namespace {

constexpr std::array kKernels = {"virtual-sm80", "virtual-sm90"};
std::string short_name(const std::string& kernel) { return kernel.substr(kernel.find('-') + 1); }

using CaseOfKernel = std::tuple<VirtualCase, const char*>;

/// Each case with each kernel. fp32 has one kernel for all architectures.
std::vector<CaseOfKernel> with_kernels(const std::vector<VirtualCase>& cases) {
  std::vector<CaseOfKernel> all;
  for (const VirtualCase& c : cases) {
    for (const char* kernel : kKernels) {
      if (c.attention.dtype != DType::kFp32 || kernel == kKernels.front()) all.emplace_back(c, kernel);
    }
  }
  return all;
}

class VirtualAttention : public testing::TestWithParam<CaseOfKernel> {};

TEST_P(VirtualAttention, AgreesWithTheDefinition) {
  const auto& [c, kernel] = GetParam();
  const vgpu::WithOrder order(c.order);
  expect_close(c.attention, run_case(c.attention, kernel));
}

std::string name_of_case(const testing::TestParamInfo<VirtualAttention::ParamType>& info) {
  return short_name(std::get<1>(info.param)) + "_" + std::get<0>(info.param).attention.name + "_" +
         std::to_string(info.index);
}
INSTANTIATE_TEST_SUITE_P(Shards, VirtualAttention, testing::ValuesIn(with_kernels(shard_cases())), name_of_case);
INSTANTIATE_TEST_SUITE_P(Edges, VirtualAttention, testing::ValuesIn(with_kernels(virtual_edge_cases())), name_of_case);

TEST(VirtualKernels, TakeNoScaleThatFp32DoesNotHave) {
  AttentionCase c{.name = "scale", .tiles = {full_tile(0, 64, 0, 64)}};
  for (const DType dtype : {DType::kBf16, DType::kFp32}) {
    c.dtype = dtype;
    for (const double scale : {-0.15, 1e-40}) {
      c.scale = scale;
      EXPECT_THROW(run_case(c, kKernels.front()), std::logic_error) << scale;
    }
  }
}

TEST(ItemOrder, VisitsEachBlockOfEachUnitOnceInSections) {
  for (const int section : {1, 2, 3, 7}) {
    const ItemOrder order{.blocks = 3, .units = 7, .section = section};
    std::vector<std::pair<int, int>> items, wanted;
    for (int i = 0; i < order.items(); ++i) {
      const ItemOrder::Item item = order.item(i);
      items.emplace_back(item.block, item.unit);
    }
    for (int first = 0; first < order.units; first += section) {
      for (int block = 0; block < order.blocks; ++block) {
        for (int unit = first; unit < std::min(first + section, 7); ++unit) wanted.emplace_back(block, unit);
      }
    }
    EXPECT_EQ(items, wanted) << "sections of " << section;
  }
}

using DTypeAndDim = std::pair<DType, int>;

class EveryOrder : public testing::TestWithParam<std::tuple<DTypeAndDim, const char*>> {};

/// Long enough that the blocks of either pass have several items and steps, and every ring of stages goes round.
TEST_P(EveryOrder, AgreesWithTheDefinition) {
  const auto& [half, kernel] = GetParam();
  const auto [dtype, dim] = half;
  // Without a band, Hopper's steps are of up to 176 keys.
  const AttentionCase full{.name = "full",
                           .q_rows = 130,
                           .k_rows = 560,
                           .heads = 1,
                           .kv_heads = 1,
                           .dim = dim,
                           .dim_v = dim,
                           .map = {0, 1, 0, 0},
                           .group = 1,
                           .dtype = dtype,
                           .tiles = {full_tile(0, 130, 0, 560)}};
  // The queries of a causal zigzag's outer chunks, in two calls.
  constexpr std::int64_t kChunk = 100, kKeys = 4 * kChunk;
  const AttentionCase zigzag{
      .name = "zigzag",
      .q_rows = 2 * kChunk,
      .k_rows = kKeys,
      .heads = 2,
      .kv_heads = 1,
      .dim = dim,
      .dim_v = dim,
      .map = {0, 2, 0, 0},
      .group = 2,
      .dtype = dtype,
      .tiles = {{0, kChunk, 0, kChunk, -(kChunk - 1), 0}, {kChunk, kChunk, 0, kKeys, -(kChunk - 1), 3 * kChunk}},
      .calls = 2};
  for (const AttentionCase& c : {full, zigzag}) {
    SCOPED_TRACE(c.name);
    vgpu::in_every_order([&, name = kernel] { expect_close(c, run_case(c, name)); }, 2);
  }
}

INSTANTIATE_TEST_SUITE_P(All, EveryOrder,
                         testing::Combine(testing::Values(DTypeAndDim(DType::kBf16, 128),
                                                          DTypeAndDim(DType::kFp16, 64)),
                                          testing::ValuesIn(kKernels)),
                         [](const auto& test) {
                           const auto& half = std::get<0>(test.param);
                           return short_name(std::get<1>(test.param)) + "_" + std::string(name_of(half.first)) + "_" +
                                  std::to_string(half.second);
                         });

}  // namespace
}  // namespace cpbench::test
