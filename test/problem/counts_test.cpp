#include "problem/counts.hpp"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <random>

namespace cpbench {
namespace {

int128 brute_force_pairs(const Problem& problem) {
  int128 pairs = 0;
  for (std::int64_t query = 0; query < problem.seq_len; ++query) {
    for (std::int64_t key = 0; key < problem.seq_len; ++key) pairs += problem.allows(query, key) ? 1 : 0;
  }
  return pairs;
}

std::vector<std::int64_t> random_lengths(std::mt19937_64& random, std::int64_t seq_len) {
  std::vector<std::int64_t> lengths;
  for (std::int64_t missing = seq_len; missing > 0; missing -= lengths.back()) {
    lengths.push_back(std::uniform_int_distribution<std::int64_t>(1, missing)(random));
  }
  return lengths;
}

TEST(Counts, PairsMatchBruteForce) {
  std::mt19937_64 random(1);
  for (int repetition = 0; repetition < 300; ++repetition) {
    Problem problem;
    problem.seq_len = std::uniform_int_distribution<std::int64_t>(1, 60)(random);
    problem.documents = Documents::from_lengths(random_lengths(random, problem.seq_len), problem.seq_len);
    std::uniform_int_distribution<std::int64_t> reach(0, 70);
    const Mask window = Mask::window(reach(random), reach(random));
    for (const Mask& mask : {Mask::full(), Mask::causal(), window}) {
      problem.mask = mask;
      EXPECT_TRUE(attended_pairs(mask, problem.documents) == brute_force_pairs(problem)) << to_string(mask);
    }
  }
}

TEST(Counts, ExactBeyond64Bits) {
  const std::int64_t seq_len = 10'000'000'000;
  const Documents documents = Documents::whole(seq_len);
  EXPECT_EQ(fmt::format("{}", attended_pairs(Mask::full(), documents)), "100000000000000000000");
  EXPECT_EQ(fmt::format("{}", attended_pairs(Mask::causal(), documents)), "50000000005000000000");
  EXPECT_EQ(fmt::format("{}", attended_pairs(Mask::window(1, 0), documents)), "19999999999");
  const Documents longest = Documents::whole(Documents::kMaxSeqLen);
  EXPECT_TRUE(attended_pairs(Mask::full(), longest) == int128{1} << 124);
}

TEST(Counts, EqualDimensionsGiveTheUsualFourAndTen) {
  EXPECT_TRUE(forward_flops(1000, 128, 128) == int128{4} * 1000 * 128);
  EXPECT_TRUE(backward_flops(1000, 128, 128) == int128{10} * 1000 * 128);
}

TEST(Counts, FlopsOfAPassCountBatchAndHeads) {
  Problem problem;
  problem.batch = 3;
  problem.heads = 4;
  problem.kv_heads = 2;
  problem.head_dim = 192;
  problem.head_dim_v = 128;
  problem.seq_len = 5;
  problem.documents = Documents::whole(5);
  const int128 pairs = int128{15} * 3 * 4;
  EXPECT_TRUE(flops(problem, Pass::kForward) == pairs * 2 * (192 + 128));
  EXPECT_TRUE(flops(problem, Pass::kBackward) == pairs * 2 * (3 * 192 + 2 * 128));
  EXPECT_TRUE(flops(problem, Pass::kForwardBackward) ==
              flops(problem, Pass::kForward) + flops(problem, Pass::kBackward));
}

}  // namespace
}  // namespace cpbench
