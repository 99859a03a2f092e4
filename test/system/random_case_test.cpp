// The random cases reach what they are meant to reach.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sstream>
#include <string>

#include "backend/kernel.hpp"
#include "system/test_case.hpp"

namespace cpbench::test {
namespace {

constexpr std::uint64_t kCases = 1000;

TEST(RandomCase, TakesEveryValueOfEveryAxis) {
  std::map<std::string, std::set<std::string>> values;
  std::map<std::string, int> uses;
  for (std::uint64_t seed = 0; seed < kCases; ++seed) {
    std::istringstream words(flags_of(random_case(seed)));
    std::string flag;
    for (std::string word; words >> word;) {
      if (word.starts_with("--")) {
        flag = word;
        ++uses[flag];
      } else {
        values[flag].insert(word);
      }
    }
  }
  const std::map<std::string, std::size_t> expected = {
      {"--algo", 5},       {"--cp-size", 8},  {"--ulysses-degree", 8}, {"--window-size", 8},
      {"--rank-order", 2}, {"--shard", 4},    {"--batch", 3},          {"--dtype", 3},
      {"--layout", 4},     {"--pass", 3},     {"--input", 4},          {"--overlap", 2},
      {"--prune", 2},      {"--kv-parts", 5}, {"--accumulate", 2},     {"--kernel", kernel_names().size()}};
  for (const auto& [axis, count] : expected) EXPECT_EQ(values[axis].size(), count) << axis;
  for (const char* value : {"full", "causal", "window:0:0"}) EXPECT_TRUE(values["--mask"].contains(value)) << value;
  for (const char* axis : {"--seq-len", "--mask"}) EXPECT_GE(values[axis].size(), 50u) << axis;
  for (const char* axis : {"--head-dim", "--head-dim-v"}) EXPECT_EQ(values[axis].size(), 9u) << axis;
  for (const char* flag : {"--sink", "--docs", "--uneven-heads"}) EXPECT_GE(uses[flag], 60) << flag;
}

TEST(RandomCase, MeetsTheCornersBetweenAxes) {
  int shorter_than_ranks = 0, replicated_heads = 0, unequal_dims = 0, two_sided = 0, nested_rings = 0;
  for (std::uint64_t seed = 0; seed < kCases; ++seed) {
    const TestCase t = random_case(seed);
    const Problem& p = t.c.problem;
    const Grid& g = t.c.grid;
    shorter_than_ranks += p.seq_len < t.c.cp_size();
    replicated_heads += g.ulysses > p.kv_heads;
    unequal_dims += p.head_dim != p.head_dim_v;
    two_sided += p.mask.left != Mask::kUnbounded && p.mask.right > 0;
    nested_rings += g.inner > 1 && g.outer > 1;
  }
  for (const int count : {shorter_than_ranks, replicated_heads, unequal_dims, two_sided, nested_rings}) {
    EXPECT_GE(count, 20);
  }
}

}  // namespace
}  // namespace cpbench::test
