// ldmatrix, stmatrix, mma.sync and cp.async: results against formulas, and planted faults.
#include <gtest/gtest.h>

#include <numeric>

#include "vgpu/instructions/matrix_kernels.hpp"
#include "vgpu/support/device_array.hpp"
#include "vgpu/support/matrix_product.hpp"
#include "vgpu/support/orders.hpp"

namespace cpbench::vgpu {
namespace {

/// What lane l has of matrix i, as the PTX ISA's figures show it: row l / 4, columns 2 (l % 4) and the next.
std::uint32_t fragment_of(const std::vector<std::uint16_t>& matrices, int i, int lane, bool transposed) {
  const auto element = [&](int row, int column) {
    const int at = transposed ? column * 8 + row : row * 8 + column;
    return std::uint32_t{matrices[static_cast<std::size_t>(i * 64 + at)]};
  };
  return element(lane / 4, lane % 4 * 2) | element(lane / 4, lane % 4 * 2 + 1) << 16;
}

TEST(Matrix, FragmentsAreThoseOfTheIsa) {
  std::vector<std::uint16_t> input(256);
  std::iota(input.begin(), input.end(), std::uint16_t{1000});
  for (const bool transposed : {false, true}) {
    in_every_order([&] {
      const DeviceArray<std::uint16_t> in(input), out(input.size());
      const DeviceArray<std::uint32_t> fragments(std::size_t{128});
      move_matrices(transposed, in.data(), fragments.data(), out.data());
      const auto got = fragments.values();
      const auto stored = out.values();
      for (int lane = 0; lane < 32; ++lane) {
        for (int i = 0; i < 4; ++i) {
          EXPECT_EQ(got[static_cast<std::size_t>(lane * 4 + i)], fragment_of(input, i, lane, transposed));
          EXPECT_EQ(got[static_cast<std::size_t>(lane * 4 + i)], fragment_of(stored, i, lane, false));
        }
      }
    });
  }
}

template <typename T>
void try_multiply(GemmPlant plant, int m, int n, int k) {
  const auto host_a = small_numbers<T>(static_cast<std::size_t>(m * k), 1);
  const auto host_b = small_numbers<T>(static_cast<std::size_t>(n * k), 2);
  const DeviceArray<T> a(host_a), b(host_b);
  const DeviceArray<float> c(static_cast<std::size_t>(m * n));
  multiply_sm80<T>(plant, m, n, k, a.data(), b.data(), c.data());
  EXPECT_EQ(c.values(), product(m, n, k, host_a, host_b));
}

TEST(Matrix, MultipliesBothTypes) {
  in_every_order([] {
    try_multiply<bf16>(GemmPlant::kNone, 32, 64, 64);
    try_multiply<fp16>(GemmPlant::kNone, 40, 33, 88);
  });
}

void expect_in_multiply(const ExpectedFaults& expected, GemmPlant plant) {
  expect_planted_fault(expected,
                       [&](bool planted) { try_multiply<bf16>(planted ? plant : GemmPlant::kNone, 32, 32, 64); });
}

const ExpectedFaults kTooEarly = {{FaultKind::kRace, "by cp.async of thread"}};

TEST(CopyAsync, IsWaitedFor) { expect_in_multiply(kTooEarly, GemmPlant::kNoWait); }
TEST(CopyAsync, IsWaitedForToTheRightGroup) { expect_in_multiply(kTooEarly, GemmPlant::kWaitForOlder); }
TEST(CopyAsync, OfOtherThreadsNeedsABarrier) { expect_in_multiply(kTooEarly, GemmPlant::kNoBarrierAfterWait); }
TEST(CopyAsync, DoesNotOverwriteWhatIsStillRead) {
  expect_in_multiply({{FaultKind::kRace, "was read by thread"}}, GemmPlant::kNoBarrierBefore);
}

}  // namespace
}  // namespace cpbench::vgpu
