#include "support/registry.hpp"

#include <gtest/gtest.h>

#include "expect_refused.hpp"

namespace cpbench {
namespace {

struct Tool {
  std::string name;
  int use = 0;
};
const Register<Tool> kSaw({.name = "saw", .use = 1}), kHammer({.name = "hammer", .use = 2});

struct Twin {
  std::string name;
};
const Register<Twin> kOne({"twin"}), kOther({"twin"});

TEST(Registry, ListsNamesAscending) {
  EXPECT_EQ(registered_names<Tool>(), (std::vector<std::string>{"hammer", "saw"}));
}

TEST(Registry, FindsByName) {
  EXPECT_EQ(find_registered<Tool>("tool", "saw").use, 1);
  expect_refused([] { find_registered<Tool>("tool", "saws"); }, {"tool", "saws", "hammer, saw"});
}

TEST(Registry, SaysThatTwoHaveOneName) { EXPECT_THROW(find_registered<Twin>("twin", "twin"), std::logic_error); }

}  // namespace
}  // namespace cpbench
