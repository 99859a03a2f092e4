// wgmma: results against formulas for every layout and source of operands, every bit of descriptors, and planted
// faults.
#include <gtest/gtest.h>

#include <cstring>
#include <numeric>

#include "vgpu/instructions/wgmma_kernels.hpp"
#include "vgpu/support/device_array.hpp"
#include "vgpu/support/matrix_product.hpp"
#include "vgpu/support/operand_image.hpp"
#include "vgpu/support/orders.hpp"

namespace cpbench::vgpu {
namespace {

constexpr int kM = 64, kK = 16;

struct Layouts {
  OperandLayout a, b;
  bool a_in_registers = false;
};
Layouts layouts(int n, int span, bool a_other_major, bool b_other_major) {
  const OperandLayout a{kM, a_other_major, span, 0};
  return {a, {n, b_other_major, span, a.end()}};
}

/// One product on the virtual GPU, and the same by formula.
template <typename T>
class Product {
 public:
  explicit Product(const Layouts& layouts, int repeat = 1)
      : a_(small_numbers<T>(kM * kK, 3)),
        b_(small_numbers<T>(static_cast<std::size_t>(layouts.b.rows) * kK, 4)),
        image_(layouts.b.end() / 4),
        a_registers_(128 * 4) {
    shape = {layouts.b.rows,        std::is_same_v<T, fp16>, layouts.a_in_registers, layouts.a.other_major,
             layouts.b.other_major, layouts.a.descriptor(),  layouts.b.descriptor(), repeat};
    auto* const bytes = reinterpret_cast<std::byte*>(image_.data());
    for (int k = 0; k < kK; ++k) {
      for (int row = 0; row < kM; ++row) std::memcpy(bytes + layouts.a.offset(row, k), &a(row, k), sizeof(T));
      for (int row = 0; row < shape.n; ++row) std::memcpy(bytes + layouts.b.offset(row, k), &b(row, k), sizeof(T));
    }
    for (int thread = 0; thread < 128; ++thread) {
      for (int i = 0; i < 8; ++i) {
        const int row = thread / 32 * 16 + thread % 32 / 4 + i / 2 % 2 * 8, k = i / 4 * 8 + thread % 4 * 2 + i % 2;
        std::memcpy(reinterpret_cast<T*>(&a_registers_[static_cast<std::size_t>(thread * 4)]) + i, &a(row, k),
                    sizeof(T));
      }
    }
  }

  std::vector<float> run(WgmmaPlant plant = WgmmaPlant::kNone) const {
    const DeviceArray<std::uint32_t> image(image_), a_registers(a_registers_);
    const DeviceArray<float> d(static_cast<std::size_t>(kM * shape.n));
    multiply_wgmma(plant, shape, image.data(), image_.size() * 4, a_registers.data(), d.data());
    return d.values();
  }
  std::vector<float> expected() const {
    const std::vector<float> c = product(kM, shape.n, kK, a_, b_);
    std::vector<float> by_thread;
    for (int thread = 0; thread < 128; ++thread) {
      for (int i = 0; i < shape.n / 2; ++i) {
        const int row = thread / 32 * 16 + thread % 32 / 4 + i / 2 % 2 * 8, column = i / 4 * 8 + thread % 4 * 2 + i % 2;
        by_thread.push_back(static_cast<float>(shape.repeat) * c[static_cast<std::size_t>(row * shape.n + column)]);
      }
    }
    return by_thread;
  }

  WgmmaCase shape;

 private:
  const T& a(int row, int k) const { return a_[static_cast<std::size_t>(row * kK + k)]; }
  const T& b(int row, int k) const { return b_[static_cast<std::size_t>(row * kK + k)]; }
  std::vector<T> a_, b_;
  std::vector<std::uint32_t> image_, a_registers_;
};

TEST(Wgmma, EveryLayoutOfOperands) {
  for (const int span : {0, 32, 64, 128}) {
    for (const bool a_other : {false, true}) {
      for (const bool b_other : {false, true}) {
        SCOPED_TRACE(testing::Message() << "span " << span << (a_other ? ", A by M" : ", A by K")
                                        << (b_other ? ", B by N" : ", B by K"));
        const Product<bf16> multiplication(layouts(64, span, a_other, b_other));
        EXPECT_EQ(multiplication.run(), multiplication.expected());
      }
    }
  }
}

TEST(Wgmma, EveryWidthTypeAndSourceOfA) {
  for (const int n : {64, 80, 96, 128, 176}) {
    for (const bool in_registers : {false, true}) {
      SCOPED_TRACE(testing::Message() << "N " << n << (in_registers ? ", A in registers" : ""));
      Layouts both = layouts(n, 128, false, n % 3 == 0);
      both.a_in_registers = in_registers;
      const Product<bf16> one(both);
      const Product<fp16> other(both, 2);
      in_every_order(
          [&] {
            EXPECT_EQ(one.run(), one.expected());
            EXPECT_EQ(other.run(), other.expected());
          },
          2);
    }
  }
}

/// Whether a case can be told from the right one.
bool fails(const Product<bf16>& multiplication) {
  try {
    return multiplication.run() != multiplication.expected();
  } catch (const Fault&) {
    return true;
  }
}

TEST(Wgmma, EveryBitOfADescriptorMatters) {
  for (const int span : {0, 128}) {
    for (const bool other_major : {false, true}) {
      const Layouts both = layouts(80, span, other_major, other_major);
      Product<bf16> multiplication(both);
      ASSERT_FALSE(fails(multiplication));
      const auto flip_all = [&](std::uint64_t& descriptor, const OperandLayout& layout) {
        for (int bit = 0; bit < 64; ++bit) {
          if (bit >= 16 && bit < 30 && !layout.uses_leading()) continue;
          descriptor ^= std::uint64_t{1} << bit;
          EXPECT_TRUE(fails(multiplication)) << "bit " << bit << ", span " << span << ", major " << other_major;
          descriptor ^= std::uint64_t{1} << bit;
        }
      };
      flip_all(multiplication.shape.a, both.a);
      flip_all(multiplication.shape.b, both.b);
    }
  }
}

void expect_in_product(const ExpectedFaults& expected, WgmmaPlant plant, bool a_in_registers = false) {
  Layouts both = layouts(64, 128, false, false);
  both.a_in_registers = a_in_registers;
  const Product<bf16> multiplication(both, 2);
  expect_planted_fault(expected, [&](bool planted) {
    EXPECT_EQ(multiplication.run(planted ? plant : WgmmaPlant::kNone), multiplication.expected());
  });
}

TEST(Wgmma, OrdinaryWritesAreFenced) {
  expect_in_product({{FaultKind::kProxy, "without fence.proxy.async"}}, WgmmaPlant::kNoProxyFence);
}
TEST(Wgmma, RegistersAreFenced) {
  expect_in_product({{FaultKind::kRegister, "before the first one"}}, WgmmaPlant::kNoFence);
  expect_in_product({{FaultKind::kRegister, "accumulator 3 was touched"}}, WgmmaPlant::kTouchAfterFence);
}
TEST(Wgmma, AccumulatorsAreWaitedFor) {
  const ExpectedFaults in_flight = {{FaultKind::kRegister, "in flight"}};
  expect_in_product(in_flight, WgmmaPlant::kNoWait);
  expect_in_product(in_flight, WgmmaPlant::kWaitForOlder);
  expect_in_product(in_flight, WgmmaPlant::kNoWait, true);
}
TEST(Wgmma, RegistersOfAAreWaitedFor) {
  expect_in_product({{FaultKind::kRegister, "in flight"}}, WgmmaPlant::kOverwriteA, true);
}
/// What other blocks and launches did on the same stacks is forgotten, also when there were fewer threads meanwhile.
TEST(Wgmma, AccumulatorsNeedNotBeWritten) {
  for (const int threads : {256, 128, 256}) {
    const DeviceArray<float> sums(static_cast<std::size_t>(threads));
    sum_unwritten(threads, sums.data());
    EXPECT_EQ(sums.values(), std::vector<float>(static_cast<std::size_t>(threads)));
  }
}
TEST(Wgmma, OperandsStayUntilEveryWarpHasWaited) {
  const ExpectedFaults still_read = {{FaultKind::kRace, "was read by wgmma"}};
  expect_in_product(still_read, WgmmaPlant::kOverwriteOperand);
  expect_in_product(still_read, WgmmaPlant::kOneWarpWaits);
  // Other warps have read them, or read them later.
  const ExpectedFaults read_by_others = {{FaultKind::kRace, "was read by wgmma"},
                                         {FaultKind::kRace, "was written by thread 96"}};
  expect_in_product(read_by_others, WgmmaPlant::kOverwriteOwnRows);
}
TEST(Wgmma, WarpsOfAGroupDoTheSame) {
  expect_in_product({{FaultKind::kMissedCollective, "has issued"}}, WgmmaPlant::kMissingWarp);
  expect_in_product({{FaultKind::kMissedCollective, "not that of the other warps"}}, WgmmaPlant::kOtherDescriptor);
}

TEST(Registers, AreRaisedWhenOthersHaveLoweredTheirs) {
  std::vector<int> everyone(384);
  std::iota(everyone.begin(), everyone.end(), 0);
  const DeviceArray<int> fits(std::size_t{384});
  expect_planted_fault({{FaultKind::kDeadlock, "setmaxnreg.inc 240"}}, [&](bool planted) {
    reallocate_registers(!planted, fits.data());
    EXPECT_EQ(fits.values(), everyone);
  });
}

}  // namespace
}  // namespace cpbench::vgpu
