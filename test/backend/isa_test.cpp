// The choice of instruction set, the micro-kernels' exp2, and the measured peaks.
#include "backend/cpu/isa.hpp"

#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <vector>

#include "backend/cpu/peaks.hpp"
#include "support/allowed_cpus.hpp"
#include "support/error.hpp"

namespace cpbench {
namespace {

struct Isa : testing::TestWithParam<std::string> {
  void SetUp() override { set_isa(GetParam()); }
  void TearDown() override { set_isa(isa_names().front()); }
};
INSTANTIATE_TEST_SUITE_P(All, Isa, testing::ValuesIn(isa_names()), [](const auto& param_info) {
  std::string name = param_info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST_P(Isa, IsTheOneThatWasSet) {
  EXPECT_EQ(isa(), GetParam());
  EXPECT_TRUE(isa().starts_with(microkernels_for(DType::kFp32).isa));
  EXPECT_FALSE(microkernels_for(DType::kFp32).bf16_pairs);
  EXPECT_FALSE(microkernels_for(DType::kFp16).bf16_pairs);
  EXPECT_EQ(microkernels_for(DType::kBf16).bf16_pairs, isa().ends_with("-bf16") || isa().ends_with("-amx"));
}

TEST_P(Isa, Exp2IsAccurate) {
  for (const DType dtype : {DType::kFp32, DType::kBf16}) {
    std::vector<float> x;
    for (float value = -125; value < 16; value += 0.00137f) x.push_back(value);
    x.resize(x.size() / 16 * 16);
    std::vector<float> y(x.size());
    microkernels_for(dtype).exp2(x.data(), y.data(), static_cast<std::int64_t>(y.size()));
    double worst = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double exact = std::exp2(static_cast<double>(x[i]));
      worst = std::max(worst, std::abs(y[i] - exact) / exact);
    }
    EXPECT_LE(worst, microkernels_for(dtype).bf16_pairs ? 6e-7 : 2 * epsilon_of(DType::kFp32));
  }
}

TEST_P(Isa, Exp2OfSpecialNumbers) {
  const float not_a_number = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  const float inputs[] = {0, 1, -7, 10, 127, -125, -127, -200, kMaskedScore, -infinity, not_a_number, -not_a_number};
  const float outputs[] = {1, 2, 0x1p-7f, 1024, 0x1p127f, 0x1p-125f, 0, 0, 0, 0};
  for (const DType dtype : {DType::kFp32, DType::kBf16}) {
    std::vector<float> values(16, 0.0f);
    std::copy(std::begin(inputs), std::end(inputs), values.begin());
    microkernels_for(dtype).exp2(values.data(), values.data(), 16);
    for (std::size_t i = 0; i < std::size(outputs); ++i) EXPECT_EQ(values[i], outputs[i]) << inputs[i];
    EXPECT_TRUE(std::isnan(values[std::size(outputs)]));
    EXPECT_TRUE(std::isnan(values[std::size(outputs) + 1]));
  }
}

/// However far: sums that the integers of exp2 are read from lose their last bits, then their sign changes.
TEST_P(Isa, Exp2OfFarNegativeNumbersIsZero) {
  for (const DType dtype : {DType::kFp32, DType::kBf16}) {
    std::vector<float> x;
    for (float value = -127; value > -1e38f; value *= 1.001f) x.push_back(value);
    x.resize((x.size() + 15) / 16 * 16, -std::numeric_limits<float>::max());
    std::vector<float> y(x.size());
    microkernels_for(dtype).exp2(x.data(), y.data(), static_cast<std::int64_t>(y.size()));
    for (std::size_t i = 0; i < x.size(); ++i) ASSERT_EQ(y[i], 0) << x[i];
  }
}

TEST_P(Isa, HasAPeak) {
  EXPECT_GT(fma_peak_flops(DType::kFp32, 1), 1e8);
  EXPECT_GT(fma_peak_flops(DType::kBf16, 2), 1e8);
  EXPECT_GT(exp_rate(1), 1e6);
}

TEST(IsaNames, StartWithTheDefault) {
  ASSERT_FALSE(isa_names().empty());
  if (std::getenv("CPBENCH_ISA") == nullptr) {
    EXPECT_EQ(isa_names().front(), isa());
  }
}

TEST(IsaNames, AnUnknownOneIsAUsageErrorThatListsThem) {
  try {
    set_isa("avx1024");
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kUsage);
    EXPECT_NE(std::string(error.what()).find(isa_names().back()), std::string::npos) << error.what();
  }
}

TEST(Peaks, MemoryHasABandwidth) { EXPECT_GT(memory_bandwidth(2), 1e8); }

TEST(Peaks, ThreadsThatShareACpuHaveItForAPartOfTheTime) {
  const double alone = cpu_time_fraction(1);
  EXPECT_GT(alone, 0);
  EXPECT_LE(alone, 1);
  cpu_set_t all, first;
  ASSERT_EQ(sched_getaffinity(0, sizeof(all), &all), 0);
  CPU_ZERO(&first);
  CPU_SET(static_cast<std::size_t>(allowed_cpus().front()), &first);
#pragma omp parallel num_threads(2)
  sched_setaffinity(0, sizeof(first), &first);
  EXPECT_LT(cpu_time_fraction(2), 0.6) << "half, and what one has before the other begins";
#pragma omp parallel num_threads(2)
  sched_setaffinity(0, sizeof(all), &all);
}

}  // namespace
}  // namespace cpbench
