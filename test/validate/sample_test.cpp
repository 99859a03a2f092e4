#include "validate/sample.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "validate/in_process_collective.hpp"
#include "validate/job.hpp"
#include "validate/problems.hpp"

namespace cpbench {
namespace {

std::vector<GroupSample> sample_of(const Problem& problem, std::int64_t rows, const std::vector<Tokens>& shards) {
  const Inputs inputs(problem, InputKind::kNormal, 3);
  std::vector<std::vector<GroupSample>> samples(shards.size());
  run_ranks(static_cast<int>(shards.size()), [&](Collective& collective) {
    const auto rank = static_cast<std::size_t>(collective.rank());
    samples[rank] = choose_sample(inputs, rows, shards[rank], 4, collective);
  });
  for (const auto& sample : samples) {
    EXPECT_EQ(sample.size(), samples[0].size());
    for (std::size_t i = 0; i < sample.size(); ++i) EXPECT_EQ(sample[i].tokens, samples[0][i].tokens);
  }
  return samples[0];
}

std::set<std::int64_t> all_tokens(const std::vector<GroupSample>& samples) {
  std::set<std::int64_t> tokens;
  for (const GroupSample& sample : samples) tokens.insert(sample.tokens.begin(), sample.tokens.end());
  return tokens;
}

TEST(Sample, EveryGroupHasTheEndsTheMiddleAndTheLastBlock) {
  Problem problem = small_problem(100000);
  problem.batch = 3;
  const auto samples = sample_of(problem, 30, zigzag_shards(problem.seq_len, 4));
  EXPECT_EQ(samples.front().group.batch, 0);
  EXPECT_EQ(samples.front().group.kv_head, 0);
  EXPECT_EQ(samples.back().group.batch, 2);
  EXPECT_EQ(samples.back().group.kv_head, 1);
  for (const GroupSample& sample : samples) {
    for (const std::int64_t token : {0, 50000, 99999, 99968, 99936, 99904, 99872}) {
      EXPECT_TRUE(std::binary_search(sample.tokens.begin(), sample.tokens.end(), token)) << token;
    }
  }
}

TEST(Sample, EveryRankHasRowsAndTheBordersOfItsShard) {
  const Problem problem = small_problem(100000);
  const auto shards = zigzag_shards(problem.seq_len, 8);
  const std::set<std::int64_t> tokens = all_tokens(sample_of(problem, 64, shards));
  EXPECT_GE(tokens.size(), 60u);
  EXPECT_LE(tokens.size(), 64u + 7u);
  for (const Tokens& shard : shards) {
    const std::vector<std::int64_t> own = expand(shard);
    EXPECT_GE(std::count_if(own.begin(), own.end(), [&](std::int64_t token) { return tokens.contains(token); }), 7);
    for (const Segment& segment : shard) {
      EXPECT_TRUE(tokens.contains(segment.first));
      EXPECT_TRUE(tokens.contains(segment.last()));
    }
  }
}

TEST(Sample, FewRowsOfManyRanksAreDealtAmongThem) {
  const auto tokens = all_tokens(sample_of(small_problem(100000), 3, contiguous_shards(100000, 16)));
  EXPECT_LE(tokens.size(), 3u + 7u);
}

TEST(Sample, HeadsAreOfTheGroupAndAllGetTheirTurn) {
  Problem problem = small_problem(1000);
  problem.heads = 8;
  const Inputs inputs(problem, InputKind::kNormal, 3);
  std::set<int> heads;
  for (std::int64_t token = 0; token < 100; ++token) heads.insert(sampled_head(inputs, {0, 1}, token));
  EXPECT_EQ(heads, (std::set<int>{4, 5, 6, 7}));
}

}  // namespace
}  // namespace cpbench
