// TMA and mbarriers: boxes against formulas, planted faults, and a pipelined matrix product.
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <cstring>
#include <numeric>

#include "vgpu/instructions/tma_kernels.hpp"
#include "vgpu/support/device_array.hpp"
#include "vgpu/support/matrix_product.hpp"
#include "vgpu/support/orders.hpp"

namespace cpbench::vgpu {
namespace {

/// A tensor of four axes, and a box of it.
struct Boxes {
  std::array<int, 4> sizes, box;
  CUtensorMapSwizzle swizzle = CU_TENSOR_MAP_SWIZZLE_128B;

  int count() const { return sizes[0] * sizes[1] * sizes[2] * sizes[3]; }
  int box_count() const { return box[0] * box[1] * box[2] * box[3]; }
  int span() const { return swizzle == CU_TENSOR_MAP_SWIZZLE_NONE ? 0 : 16 << swizzle; }

  CUtensorMap map(void* data, CUtensorMapDataType type, int element_bytes) const {
    std::array<cuuint64_t, 4> wide;
    std::array<cuuint32_t, 4> boxes;
    for (std::size_t i = 0; i < 4; ++i) {
      wide[i] = static_cast<cuuint64_t>(sizes[i]);
      boxes[i] = static_cast<cuuint32_t>(box[i]);
    }
    const cuuint64_t row = wide[0] * static_cast<cuuint64_t>(element_bytes);
    const std::array<cuuint64_t, 3> strides = {row, row * wide[1], row * wide[1] * wide[2]};
    const std::array<cuuint32_t, 4> every = {1, 1, 1, 1};
    CUtensorMap map;
    EXPECT_EQ(cuTensorMapEncodeTiled(&map, type, 4, data, wide.data(), strides.data(), boxes.data(), every.data(),
                                     CU_TENSOR_MAP_INTERLEAVE_NONE, swizzle, CU_TENSOR_MAP_L2_PROMOTION_NONE,
                                     CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE),
              CUDA_SUCCESS);
    return map;
  }
  /// Index of the element at c in the tensor, or -1 outside.
  int index(const std::array<int, 4>& c) const {
    int at = 0;
    for (std::size_t i = 4; i-- > 0;) {
      if (c[i] < 0 || c[i] >= sizes[i]) return -1;
      at = at * sizes[i] + c[i];
    }
    return at;
  }
  /// Calls visit(element's place in the box's bytes in shared memory / its bytes, coordinates in the tensor).
  template <typename Visitor>
  void for_each(const std::array<int, 4>& at, int element_bytes, Visitor&& visit) const {
    const int row_bytes = box[0] * element_bytes;
    for (int i = 0; i < box_count(); ++i) {
      const int row = i / box[0], byte = i % box[0] * element_bytes;
      // Pieces of a row are exchanged by the number of the row in a pattern of 8 spans of 128 bytes.
      const int exchange = span() == 0 ? 0 : row * row_bytes / 128 % (span() / 16);
      const int place = row * row_bytes + (byte / 16 ^ exchange) * 16 + byte % 16;
      visit(place / element_bytes, std::array<int, 4>{at[0] + i % box[0], at[1] + row % box[1],
                                                      at[2] + row / box[1] % box[2], at[3] + row / box[1] / box[2]});
    }
  }
};

std::vector<float> ascending(int count) {
  std::vector<float> values(static_cast<std::size_t>(count));
  std::iota(values.begin(), values.end(), 1.0f);
  return values;
}

/// Passes one box of fp32 through shared memory and checks every byte on the way.
void try_box(const Boxes& boxes, const std::array<int, 4>& at, bool add, BoxPlant plant = BoxPlant::kNone) {
  const std::vector<float> input = ascending(boxes.count());
  std::vector<float> stored(input.size(), 0.25f), image_expected(static_cast<std::size_t>(boxes.box_count()));
  const DeviceArray<float> from(input), to(stored);
  const DeviceArray<std::uint32_t> image(image_expected.size());
  pass_box(plant, {at, boxes.box_count() * 4, true, add}, boxes.map(from.data(), CU_TENSOR_MAP_DATA_TYPE_FLOAT32, 4),
           boxes.map(to.data(), CU_TENSOR_MAP_DATA_TYPE_FLOAT32, 4), image.data());
  boxes.for_each(at, 4, [&](int place, const std::array<int, 4>& c) {
    const int index = boxes.index(c);
    const float value = index < 0 ? 0.0f : input[static_cast<std::size_t>(index)];
    image_expected[static_cast<std::size_t>(place)] = value;
    if (index >= 0) stored[static_cast<std::size_t>(index)] = value + 1.0f + (add ? 0.25f : 0.0f);
  });
  std::vector<float> got(image_expected.size());
  std::memcpy(got.data(), image.values().data(), got.size() * sizeof(float));
  EXPECT_EQ(got, image_expected);
  EXPECT_EQ(to.values(), stored);
}

TEST(Tma, BoxesInsideAndPartlyOutside) {
  const Boxes boxes{{40, 6, 3, 2}, {32, 4, 2, 1}};
  in_every_order(
      [&] {
        for (const bool add : {false, true}) {
          try_box(boxes, {4, 1, 0, 1}, add);
          try_box(boxes, {20, 4, 2, 1}, add);
          try_box(boxes, {-3, -2, -1, 0}, add);
          try_box(boxes, {0, 0, 0, 2}, add);
        }
      },
      2);
}

TEST(Tma, EverySwizzle) {
  for (const auto swizzle :
       {CU_TENSOR_MAP_SWIZZLE_NONE, CU_TENSOR_MAP_SWIZZLE_32B, CU_TENSOR_MAP_SWIZZLE_64B, CU_TENSOR_MAP_SWIZZLE_128B}) {
    SCOPED_TRACE(swizzle);
    const int row = swizzle == CU_TENSOR_MAP_SWIZZLE_NONE ? 12 : 4 << swizzle;
    try_box({{48, 20, 1, 1}, {row, 16, 1, 1}, swizzle}, {8, 2, 0, 0}, false);
  }
}

TEST(Tma, RefusesWhatTheDriverRefuses) {
  const std::array<cuuint64_t, 4> sizes = {40, 6, 3, 2};
  std::array<cuuint64_t, 3> strides = {160, 960, 2880};
  std::array<cuuint32_t, 4> box = {64, 4, 2, 1};  // a row is longer than the span
  const std::array<cuuint32_t, 4> every = {1, 1, 1, 1};
  const DeviceArray<float> data(std::size_t{1440});
  const auto encode = [&](float* address) {
    CUtensorMap map;
    return cuTensorMapEncodeTiled(&map, CU_TENSOR_MAP_DATA_TYPE_FLOAT32, 4, address, sizes.data(), strides.data(),
                                  box.data(), every.data(), CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B,
                                  CU_TENSOR_MAP_L2_PROMOTION_NONE, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  };
  EXPECT_EQ(encode(data.data()), CUDA_ERROR_INVALID_VALUE);
  box[0] = 32;
  EXPECT_EQ(encode(data.data()), CUDA_SUCCESS);
  EXPECT_EQ(encode(data.data() + 1), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(encode(nullptr), CUDA_ERROR_INVALID_VALUE);
  strides[0] = 144;  // rows overlap
  EXPECT_EQ(encode(data.data()), CUDA_ERROR_INVALID_VALUE);
}

void expect_in_box(const ExpectedFaults& expected, BoxPlant plant) {
  const Boxes boxes{{32, 8, 1, 1}, {32, 8, 1, 1}};
  expect_planted_fault(expected, [&](bool planted) {
    try_box(boxes, {0, 0, 0, 0}, false, planted ? plant : BoxPlant::kNone);
  });
}

const ExpectedFaults kReadEarly = {{FaultKind::kRace, "by a bulk copy"},
                                   {FaultKind::kUninitialised, "shared memory"},
                                   {FaultKind::kRace, "was read by thread"}};

TEST(Mbarrier, InitialisationIsFencedForCopies) {
  expect_in_box({{FaultKind::kProxy, "fence.mbarrier_init"}}, BoxPlant::kNoInitFence);
}
TEST(Mbarrier, InitialisationIsOrderedForThreads) {
  expect_in_box({{FaultKind::kRace, "mbarrier.init"}, {FaultKind::kMisuse, "no mbarrier was initialised"}},
                BoxPlant::kNoInitSync);
}
TEST(Mbarrier, CopiesAreWaitedFor) {
  expect_in_box(kReadEarly, BoxPlant::kNoWait);
  expect_in_box(kReadEarly, BoxPlant::kWrongParity);
}
TEST(Mbarrier, CountsBytes) {
  expect_in_box({{FaultKind::kRace, "by a bulk copy"},
                 {FaultKind::kDeadlock, "-16 bytes pending"},
                 {FaultKind::kDeadlock, "and 1008 bytes"}},
                BoxPlant::kTooFewBytes);
  expect_in_box({{FaultKind::kDeadlock, "phase 0 (parity 0), 0 of 2 arrivals and 16 bytes pending"}},
                BoxPlant::kTooManyBytes);
}
TEST(Mbarrier, SomebodyCompletesEachPhase) {
  expect_in_box({{FaultKind::kMissedCollective, "1 of 2 arrivals and 0 bytes are pending"}}, BoxPlant::kArrivalTooMany);
}
TEST(Tma, BlocksOutliveTheirCopies) {
  expect_in_box({{FaultKind::kMisuse, "no thread has waited"}}, BoxPlant::kLeaveEarly);
  expect_in_box({{FaultKind::kMisuse, "has not waited"}}, BoxPlant::kNoStoreWait);
}
TEST(Tma, StoresReadWhatIsFenced) {
  expect_in_box({{FaultKind::kProxy, "without fence.proxy.async"}}, BoxPlant::kNoStoreFence);
}
TEST(Tma, StoresHaveReadBeforeTheirSourceChanges) {
  expect_in_box({{FaultKind::kRace, "was read by a bulk copy"}}, BoxPlant::kReuseEarly);
}

void try_multiply(PipelinePlant plant, int m, int n, int k) {
  const auto host_a = small_numbers<bf16>(static_cast<std::size_t>(m * k), 1);
  const auto host_b = small_numbers<bf16>(static_cast<std::size_t>(k * n), 2);
  const DeviceArray<bf16> a(host_a), b(host_b);
  const DeviceArray<float> c(static_cast<std::size_t>(m * n));
  multiply_sm90(plant, m, n, k, a.data(), b.data(), c.data());
  std::vector<bf16> transposed;
  for (int j = 0; j < n; ++j) {
    for (int l = 0; l < k; ++l) transposed.push_back(host_b[static_cast<std::size_t>(l * n + j)]);
  }
  EXPECT_EQ(c.values(), product(m, n, k, host_a, transposed));
}

TEST(Pipeline, Multiplies) {
  in_every_order([] { try_multiply(PipelinePlant::kNone, 200, 152, 328); }, 4);
}

void expect_in_pipeline(const ExpectedFaults& expected, PipelinePlant plant) {
  expect_planted_fault(expected,
                       [&](bool planted) { try_multiply(planted ? plant : PipelinePlant::kNone, 128, 128, 320); });
}

TEST(Pipeline, StagesAreNotOverwritten) {
  const ExpectedFaults overwritten = {
      {FaultKind::kRace, "by wgmma"}, {FaultKind::kRace, "by a bulk copy"}, {FaultKind::kMisuse, "one more"}};
  expect_in_pipeline(overwritten, PipelinePlant::kNoEmptyWait);
  expect_in_pipeline(overwritten, PipelinePlant::kReleaseEarly);
}
TEST(Pipeline, PhasesAreTheRightOnes) {
  expect_in_pipeline({{FaultKind::kDeadlock, "mbarrier at"}}, PipelinePlant::kEmptyWrongParity);
  expect_in_pipeline({{FaultKind::kRace, "by a bulk copy"},
                      {FaultKind::kUninitialised, "shared memory"},
                      {FaultKind::kDeadlock, "mbarrier at"}},
                     PipelinePlant::kFullWrongParity);
  expect_in_pipeline({{FaultKind::kDeadlock, "1 of 8 arrivals and 0 bytes pending"}}, PipelinePlant::kNoRelease);
}
TEST(Pipeline, AWrongAdvanceShowsInTheResult) {
  EXPECT_NONFATAL_FAILURE(try_multiply(PipelinePlant::kWrongAdvance, 128, 128, 64), "");
}

}  // namespace
}  // namespace cpbench::vgpu
