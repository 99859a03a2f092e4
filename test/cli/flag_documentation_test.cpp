// docs/configuration.md and docs/foreign-flags.md name what the tables of the program name.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "cli/axes/axis.hpp"
#include "cli/foreign/foreign_flag.hpp"

namespace cpbench {
namespace {

std::string text_of(const std::string& name) {
  std::ifstream stream(std::string(CPBENCH_DOCS_DIR) + "/" + name);
  EXPECT_TRUE(stream) << name;
  return {std::istreambuf_iterator<char>(stream), {}};
}

TEST(Documentation, EveryAxisHasItsRow) {
  const std::string text = text_of("configuration.md");
  for (const AxisInfo& axis : all_axes()) {
    const std::string row =
        fmt::format("| `{}` | {} | {} | {} |\n", axis.flag(), axis.values, axis.fallback, axis.meaning);
    EXPECT_NE(text.find(row), std::string::npos) << "missing: " << row;
  }
}

TEST(Documentation, EveryForeignFlagIsNamed) {
  const std::string text = text_of("foreign-flags.md");
  for (const ForeignFlag& flag : foreign_flags()) {
    EXPECT_NE(text.find("`" + std::string(flag.name)), std::string::npos) << flag.name;
  }
}

}  // namespace
}  // namespace cpbench
