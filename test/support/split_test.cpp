#include "support/split.hpp"

#include <gtest/gtest.h>

namespace cpbench {
namespace {

TEST(Split, KeepsEmptyParts) {
  using Parts = std::vector<std::string_view>;
  EXPECT_EQ(split("a,b,c", ','), (Parts{"a", "b", "c"}));
  EXPECT_EQ(split("ipc+", '+'), (Parts{"ipc", ""}));
  EXPECT_EQ(split("+a,b", '+'), (Parts{"", "a,b"}));
  EXPECT_EQ(split("", ','), (Parts{""}));
}

}  // namespace
}  // namespace cpbench
