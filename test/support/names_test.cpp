#include "support/names.hpp"

#include <gtest/gtest.h>

#include "expect_refused.hpp"
#include "support/nearest.hpp"

namespace cpbench {
namespace {

enum class Fruit { kApple, kPear };
constexpr std::array<Named<Fruit>, 2> kFruits = {{{Fruit::kApple, "apple"}, {Fruit::kPear, "pear"}}};

const std::vector<std::string> kAlgorithms = {"ulysses", "ring", "double-ring", "hybrid", "all-gather"};

TEST(Nearest, FindsTheClosestName) {
  EXPECT_EQ(nearest("ulyses", kAlgorithms), "ulysses");
  EXPECT_EQ(nearest("rign", kAlgorithms), "ring");
  EXPECT_EQ(nearest("doublering", kAlgorithms), "double-ring");
  EXPECT_EQ(nearest("all_gather", kAlgorithms), "all-gather");
  EXPECT_EQ(nearest("ring", kAlgorithms), "ring");
}

TEST(Nearest, KnowsTheBeginningOfALongName) {
  const std::vector<std::string> flags = {"--input", "--head-dim", "--heads", "--window-size"};
  EXPECT_EQ(nearest("--window", flags), "--window-size");
  EXPECT_EQ(nearest("--head", flags), "--heads") << "fewer edits";
  EXPECT_EQ(nearest("--", flags), "");
}

TEST(Nearest, StaysSilentWhenNothingIsClose) {
  EXPECT_EQ(nearest("megatron_cp_algo", kAlgorithms), "");
  EXPECT_EQ(nearest("xyz", kAlgorithms), "");
  EXPECT_EQ(nearest("ring", {}), "");
}

TEST(Nearest, AllowsTwoEditsInShortWordsAndHalfOfLongOnes) {
  const std::vector<std::string> known = {"abcdefgh"};
  EXPECT_EQ(nearest("abcdxxxx", known), "abcdefgh");
  EXPECT_EQ(nearest("abcxxxxx", known), "");
  const std::vector<std::string> short_name = {"abc"};
  EXPECT_EQ(nearest("a", short_name), "abc");
  EXPECT_EQ(nearest("", short_name), "");
}

TEST(Names, TranslateBothWays) {
  EXPECT_EQ(name_in(kFruits, Fruit::kPear), "pear");
  EXPECT_EQ(parse_in(kFruits, "fruit", "apple"), Fruit::kApple);
  EXPECT_THROW(name_in(kFruits, static_cast<Fruit>(7)), std::logic_error);
}

TEST(Names, RefuseUnknownOnes) {
  expect_refused([] { parse_in(kFruits, "fruit", "appel"); },
                 {"unknown fruit \"appel\"", "did you mean \"apple\"?", "known: apple, pear"});
  expect_refused([] { parse_in(kFruits, "fruit", "strawberry"); },
                 {"unknown fruit \"strawberry\" (known: apple, pear)"});
}

}  // namespace
}  // namespace cpbench
