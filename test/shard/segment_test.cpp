#include "shard/segment.hpp"

#include <gtest/gtest.h>

#include <random>
#include <stdexcept>

namespace cpbench {
namespace {

Tokens tokens_of(std::initializer_list<Segment> segments) {
  Tokens tokens;
  for (const Segment& segment : segments) append(tokens, segment);
  return tokens;
}

TEST(Append, MergesWhatFormsOneProgression) {
  EXPECT_EQ(tokens_of({{0, 4, 1}, {4, 3, 1}}), (Tokens{{0, 7, 1}}));
  EXPECT_EQ(tokens_of({{1, 2, 5}, {11, 3, 5}}), (Tokens{{1, 5, 5}}));
  EXPECT_EQ(tokens_of({{1, 3, 5}, {16, 1, 1}}), (Tokens{{1, 4, 5}}));
  EXPECT_EQ(tokens_of({{1, 1, 1}, {6, 3, 5}}), (Tokens{{1, 4, 5}}));
  EXPECT_EQ(tokens_of({{3, 1, 9}, {10, 1, 9}}), (Tokens{{3, 2, 7}}));
}

TEST(Append, KeepsApartWhatDoesNot) {
  EXPECT_EQ(tokens_of({{0, 4, 1}, {5, 3, 1}}).size(), 2u);
  EXPECT_EQ(tokens_of({{0, 4, 1}, {4, 3, 2}}).size(), 2u);
  EXPECT_EQ(tokens_of({{0, 2, 2}, {4, 3, 1}}).size(), 2u);
  EXPECT_EQ(tokens_of({{5, 1, 1}, {2, 1, 1}}).size(), 2u);
  EXPECT_EQ(tokens_of({{5, 1, 1}, {5, 1, 1}}).size(), 2u);
}

TEST(Append, DropsEmptySegmentsAndStridesOfSingleTokens) {
  EXPECT_EQ(tokens_of({{0, 0, 1}, {7, 0, 3}}), Tokens{});
  EXPECT_EQ(tokens_of({{7, 1, 3}}), tokens_of({{7, 1, 1}}));
}

Tokens random_tokens(std::mt19937_64& random) {
  const auto draw = [&](int low, int high) { return std::uniform_int_distribution<std::int64_t>(low, high)(random); };
  Tokens tokens;
  for (std::int64_t i = draw(0, 6); i > 0; --i) append(tokens, {draw(0, 50), draw(0, 6), draw(1, 4)});
  return tokens;
}

TEST(Slice, MatchesTheExpandedRows) {
  std::mt19937_64 random(2);
  for (int repetition = 0; repetition < 200; ++repetition) {
    const Tokens tokens = random_tokens(random);
    const auto rows = expand(tokens);
    ASSERT_EQ(count_of(tokens), static_cast<std::int64_t>(rows.size()));
    for (std::int64_t begin = 0; begin <= count_of(tokens); ++begin) {
      for (std::int64_t count = 0; begin + count <= count_of(tokens); ++count) {
        const std::vector<std::int64_t> expected(rows.begin() + begin, rows.begin() + begin + count);
        ASSERT_EQ(expand(slice(tokens, begin, count)), expected);
      }
    }
    EXPECT_EQ(slice(tokens, 0, count_of(tokens)), tokens);
    EXPECT_THROW(slice(tokens, 0, count_of(tokens) + 1), std::logic_error);
    EXPECT_THROW(slice(tokens, -1, 1), std::logic_error);
  }
}

TEST(Cut, PartsFollowEachOtherAndDifferByOneAtMost) {
  std::mt19937_64 random(3);
  for (int repetition = 0; repetition < 200; ++repetition) {
    const Tokens tokens = random_tokens(random);
    for (int parts = 1; parts <= 7; ++parts) {
      std::vector<std::int64_t> joined;
      std::int64_t previous = count_of(tokens);
      for (const Tokens& part : cut(tokens, parts)) {
        const auto rows = expand(part);
        joined.insert(joined.end(), rows.begin(), rows.end());
        EXPECT_TRUE(count_of(part) == count_of(tokens) / parts || count_of(part) == count_of(tokens) / parts + 1);
        EXPECT_LE(count_of(part), previous);
        previous = count_of(part);
      }
      EXPECT_EQ(joined, expand(tokens));
      EXPECT_EQ(cut(tokens, parts).size(), static_cast<std::size_t>(parts));
    }
  }
  EXPECT_THROW(cut({}, 0), std::logic_error);
}

}  // namespace
}  // namespace cpbench
