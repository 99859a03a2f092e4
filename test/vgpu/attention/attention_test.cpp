// The GPU's attention kernels on the virtual GPU against the definition.
#include <gtest/gtest.h>

#include "backend/support/attention_case.hpp"
#include "vgpu/support/orders.hpp"

namespace cpbench::test {
namespace {

Tile full_tile(std::int64_t q_begin, std::int64_t q_count, std::int64_t k_begin, std::int64_t k_count) {
  return {q_begin, q_count, k_begin, k_count, -(q_count - 1), k_count - 1};
}
Tile causal_tile(std::int64_t begin, std::int64_t count) { return {begin, count, begin, count, -(count - 1), 0}; }

class VirtualAttention : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(All, VirtualAttention, testing::Values("virtual-sm80", "virtual-sm90"),
                         [](const auto& param) { return std::string(param.param).substr(8); });

TEST_P(VirtualAttention, InEveryOrder) {
  AttentionCase c{.name = "causal", .q_rows = 150, .k_rows = 150, .tiles = {causal_tile(0, 150)}};
  for (const DType dtype : {DType::kFp32, DType::kBf16, DType::kFp16}) {
    c.dtype = dtype;
    vgpu::in_every_order([&] { expect_close(c, run_case(c, GetParam())); }, 2);
  }
}

TEST_P(VirtualAttention, HeadSizes) {
  for (const auto& [dim, dim_v] :
       std::vector<std::pair<int, int>>{{8, 8}, {72, 128}, {192, 128}, {192, 192}, {256, 256}}) {
    SCOPED_TRACE(testing::Message() << dim << " and " << dim_v);
    const AttentionCase c{.name = "sizes",
                          .q_rows = 70,
                          .k_rows = 90,
                          .dim = dim,
                          .dim_v = dim_v,
                          .dtype = DType::kBf16,
                          .tiles = {full_tile(0, 70, 0, 90)}};
    expect_close(c, run_case(c, GetParam()));
  }
}

}  // namespace
}  // namespace cpbench::test
