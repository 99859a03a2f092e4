#include "problem/mask.hpp"

#include <gtest/gtest.h>

#include "expect_refused.hpp"

namespace cpbench {
namespace {

TEST(Mask, Parses) {
  EXPECT_EQ(parse_mask("full"), Mask::full());
  EXPECT_EQ(parse_mask("causal"), Mask::causal());
  EXPECT_EQ(parse_mask("window:4095"), Mask::window(4095, 0));
  EXPECT_EQ(parse_mask("window:0:7"), Mask::window(0, 7));
  EXPECT_EQ(parse_mask("window:1000000000000:0"), Mask::window(1'000'000'000'000, 0));
}

TEST(Mask, TextIsTheInverseOfParsing) {
  for (const Mask& mask : {Mask::full(), Mask::causal(), Mask::window(5, 0), Mask::window(0, 3), Mask::window(0, 0),
                           Mask::window(Mask::kUnbounded, 4), Mask::window(4, Mask::kUnbounded)}) {
    EXPECT_EQ(parse_mask(to_string(mask)), mask) << to_string(mask);
  }
  EXPECT_EQ(to_string(Mask::window(5, 0)), "window:5:0");
}

TEST(Mask, RefusesNonsense) {
  expect_refused([] { parse_mask("casual"); }, {"unknown mask \"casual\"", "did you mean \"causal\""});
  expect_refused([] { parse_mask(""); }, {"unknown mask \"\""});
  expect_refused([] { parse_mask("window"); }, {"unknown mask \"window\""});
  expect_refused([] { parse_mask("window:"); }, {"\"window:\"", "\"\" is not a number"});
  expect_refused([] { parse_mask("window:-1"); }, {"\"window:-1\"", "\"-1\" is not a number of tokens from 0 to"});
  expect_refused([] { parse_mask("window:4k"); }, {"\"4k\" is not a number"});
  expect_refused([] { parse_mask("window:4:"); }, {"\"window:4:\"", "\"\" is not a number"});
  expect_refused([] { parse_mask("window:4:5:6"); }, {"\"5:6\" is not a number"});
  expect_refused([] { parse_mask("window:9223372036854775808"); },
                 {"\"9223372036854775808\"", "to 9223372036854775807"});
}

TEST(Mask, AllowsWithoutOverflow) {
  const std::int64_t last = (std::int64_t{1} << 62) - 1;
  EXPECT_TRUE(Mask::full().allows(0, last));
  EXPECT_TRUE(Mask::causal().allows(last, 0));
  EXPECT_FALSE(Mask::causal().allows(0, last));
  EXPECT_TRUE(Mask::window(2, 1).allows(10, 8));
  EXPECT_FALSE(Mask::window(2, 1).allows(10, 7));
  EXPECT_TRUE(Mask::window(2, 1).allows(10, 11));
  EXPECT_FALSE(Mask::window(2, 1).allows(10, 12));
}

}  // namespace
}  // namespace cpbench
