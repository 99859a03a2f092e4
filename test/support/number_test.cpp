#include "support/number.hpp"

#include "expect_refused.hpp"

namespace cpbench {
namespace {

TEST(Number, IsTheWholeTextOrNothing) {
  EXPECT_EQ(integer_in("-17"), -17);
  EXPECT_EQ(integer_in("9223372036854775807"), INT64_MAX);
  for (const char* text : {"", " 5", "5 ", "+5", "1e3", "5.0", "0x10", "9223372036854775808"}) {
    EXPECT_EQ(integer_in(text), std::nullopt) << text;
  }
  EXPECT_EQ(number_in("-1e-3"), -1e-3);
  for (const char* text : {"", "1.5x", "+1", "nan", "inf", "1e999"}) EXPECT_EQ(number_in(text), std::nullopt) << text;
}

TEST(Number, AcceptsWholeNumbersInRange) {
  EXPECT_EQ(parse_integer("--n", "0", 0, 5), 0);
  EXPECT_EQ(parse_integer("--n", "9223372036854775807", 0, INT64_MAX), INT64_MAX);
  EXPECT_EQ(parse_positive("--x", "1e-3"), 1e-3);
}

TEST(Number, RefusesEverythingElseWithFlagAndValue) {
  const auto integer = [](std::string_view value) {
    return [value] { parse_integer("--seq-len", value, 1, INT64_MAX); };
  };
  expect_refused(integer("99999999999999999999"), {"--seq-len", "99999999999999999999", "out of range"});
  expect_refused(integer("-1"), {"--seq-len", "-1", "out of range", "from 1"});
  expect_refused(integer("1e3"), {"--seq-len", "\"1e3\"", "not a whole number"});
  expect_refused(integer("12abc"), {"--seq-len", "\"12abc\"", "not a whole number"});
  expect_refused(integer("99999999999999999999x"), {"--seq-len", "not a whole number"});
  expect_refused(integer("+5"), {"--seq-len", "\"+5\""});
  expect_refused(integer(" 5"), {"--seq-len", "\" 5\""});
  expect_refused(integer("0x10"), {"--seq-len", "\"0x10\""});
  expect_refused(integer(""), {"--seq-len", "empty"});
  for (const char* value : {"0", "-2", "inf", "1e999"}) {
    expect_refused([&] { parse_positive("--scale", value); }, {"--scale", value, "out of range"});
  }
  expect_refused([] { parse_positive("--scale", "nan"); }, {"--scale", "nan"});
  expect_refused([] { parse_positive("--scale", "0.5x"); }, {"--scale", "0.5x", "not a number"});
  expect_refused([] { parse_positive("--scale", ""); }, {"--scale", "empty"});
}

}  // namespace
}  // namespace cpbench
