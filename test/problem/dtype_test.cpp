#include "problem/dtype.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <vector>

#include "expect_refused.hpp"

namespace cpbench {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(DType, NamesSizesAndEpsilons) {
  for (const DType dtype : {DType::kFp32, DType::kBf16, DType::kFp16}) {
    EXPECT_EQ(parse_dtype(name_of(dtype)), dtype);
    const auto epsilon = static_cast<float>(epsilon_of(dtype));
    EXPECT_EQ(round_to(dtype, 1 + epsilon), 1 + epsilon);
    EXPECT_EQ(round_to(dtype, 1 + epsilon / 2), 1.0f);
    EXPECT_EQ(bytes_of(dtype), with_type(dtype, [](auto value) { return static_cast<int>(sizeof(value)); }));
  }
  expect_refused([] { parse_dtype("bfloat16"); }, {"unknown dtype \"bfloat16\"", "fp32, bf16, fp16"});
}

TEST(Fp16, KnownValues) {
  const std::pair<float, int> known[] = {
      {0.0f, 0x0000},      {-0.0f, 0x8000},    {1.0f, 0x3c00},       {-2.0f, 0xc000},      {65504.0f, 0x7bff},
      {65519.96f, 0x7bff}, {65520.0f, 0x7c00}, {65536.0f, 0x7c00},   {1e30f, 0x7c00},      {-kInfinity, 0xfc00},
      {0x1p-14f, 0x0400},  {0x1p-24f, 0x0001}, {0x1p-25f, 0x0000},   {0x1.8p-24f, 0x0002}, {0x1.000002p-25f, 0x0001},
      {0x1p-149f, 0x0000}, {1.0f / 3, 0x3555}, {0x1.002p0f, 0x3c00}, {0x1.006p0f, 0x3c02}, {0x1.ffcp-15f, 0x0400},
  };
  for (const auto& [value, bits] : known) EXPECT_EQ(fp16::from(value).bits, bits) << value;
}

TEST(Bf16, KnownValues) {
  const std::pair<float, int> known[] = {
      {0.0f, 0x0000},     {-0.0f, 0x8000},     {1.0f, 0x3f80},      {-2.0f, 0xc000},           {kInfinity, 0x7f80},
      {1.0f / 3, 0x3eab}, {0x1.01p0f, 0x3f80}, {0x1.03p0f, 0x3f82}, {0x1.fffffep127f, 0x7f80}, {0x1p-133f, 0x0001},
  };
  for (const auto& [value, bits] : known) EXPECT_EQ(bf16::from(value).bits, bits) << value;
}

// Numbers survive the way to fp32 and back; so do NaNs, but for the bit that makes them quiet.
template <typename T>
void expect_round_trip(int quiet_bit) {
  for (int bits = 0; bits < 0x10000; ++bits) {
    const float value = T{static_cast<std::uint16_t>(bits)}.to_float();
    const int expected = std::isnan(value) ? bits | quiet_bit : bits;
    ASSERT_EQ(T::from(value).bits, expected) << bits;
  }
}

TEST(Fp16, EveryPatternRoundTrips) { expect_round_trip<fp16>(0x200); }
TEST(Bf16, EveryPatternRoundTrips) { expect_round_trip<bf16>(0x40); }

// Between neighbours a < b of the type: below the midpoint to a, above it to b, the midpoint itself to the even one.
template <typename T>
void expect_nearest_even(std::uint16_t largest) {
  for (std::uint16_t bits = 0; bits < largest; ++bits) {
    const auto next = static_cast<std::uint16_t>(bits + 1);
    const float middle = T{bits}.to_float() / 2 + T{next}.to_float() / 2;
    if (middle <= std::numeric_limits<float>::min()) continue;  // the halves of subnormal fp32 are not exact
    ASSERT_EQ(T::from(middle).bits, bits % 2 == 0 ? bits : next) << bits;
    ASSERT_EQ(T::from(std::nextafter(middle, 0.0f)).bits, bits) << bits;
    ASSERT_EQ(T::from(std::nextafter(middle, kInfinity)).bits, next) << bits;
    ASSERT_EQ(T::from(-middle).bits, 0x8000 | T::from(middle).bits) << bits;
  }
}

TEST(Fp16, RoundsToNearestEven) { expect_nearest_even<fp16>(0x7bff); }
TEST(Bf16, RoundsToNearestEven) { expect_nearest_even<bf16>(0x7f7f); }

TEST(Fp16, ValuesFollowTheDefinition) {
  for (int bits = 0; bits < 0x7c00; ++bits) {
    const int exponent = bits >> 10;
    const int mantissa = bits & 0x3ff;
    const double expected = exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 15 - 10);
    ASSERT_EQ(static_cast<double>(fp16{static_cast<std::uint16_t>(bits)}.to_float()), expected) << bits;
  }
}

TEST(DType, NanStaysNan) {
  for (const std::uint32_t payload : {0x7f800001u, 0x7fc00000u, 0xff800001u, 0x7fffffffu}) {
    const auto nan = std::bit_cast<float>(payload);
    EXPECT_TRUE(std::isnan(fp16::from(nan).to_float()));
    EXPECT_TRUE(std::isnan(bf16::from(nan).to_float()));
  }
}

}  // namespace
}  // namespace cpbench
