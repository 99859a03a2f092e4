#include "validate/sample.hpp"

#include <algorithm>
#include <set>

#include "validate/normal.hpp"
#include "validate/norms.hpp"

namespace cpbench {
namespace {

// The inputs' random numbers have a last word below 2^31 (see input.cpp).
constexpr std::uint32_t kTokenStream = 0x80000000, kGroupStream = 0x90000000, kHeadStream = 0xa0000000;

std::uint64_t random_below(std::uint64_t bound, std::uint64_t seed, std::uint32_t stream, std::uint64_t a,
                           std::uint64_t b) {
  const auto bits = random_bits(seed, {static_cast<std::uint32_t>(a), static_cast<std::uint32_t>(a >> 32),
                                       static_cast<std::uint32_t>(b), stream});
  return ((std::uint64_t{bits[0]} << 32) | bits[1]) % bound;
}

/// `limit` distinct numbers below `count`, or all of them: the first, the last, and random ones. Both ends even where
/// `limit` is 1.
std::vector<std::int64_t> choose_groups(std::int64_t count, std::int64_t limit, std::uint64_t seed) {
  limit = std::min(limit, count);
  std::set<std::int64_t> chosen = {0, count - 1};
  for (std::uint64_t draw = 0; static_cast<std::int64_t>(chosen.size()) < limit; ++draw) {
    chosen.insert(
        static_cast<std::int64_t>(random_below(static_cast<std::uint64_t>(count), seed, kGroupStream, draw, 0)));
  }
  return {chosen.begin(), chosen.end()};
}

/// How many groups' inputs are regenerated in about a second where each rank makes its own share: K and V for out and
/// for dq, Q and dout for dk and dv, all for both devices, at 1.5 ns a value.
std::int64_t affordable_groups(const Problem& problem, int ranks) {
  const double values = static_cast<double>(problem.seq_len) * (problem.head_dim + problem.head_dim_v);
  const double seconds = 2 * (2.0 + problem.group()) * values * 1.5e-9 / ranks;
  return static_cast<std::int64_t>(std::clamp(1 / seconds, 2.0, 1024.0));
}

/// Up to `count` of this rank's tokens: all where there are no more, else the ends of its segments first, then random
/// ones.
std::vector<std::int64_t> propose(const Tokens& tokens, std::int64_t count, std::uint64_t seed, int rank) {
  const std::int64_t rows = count_of(tokens);
  const auto token_of = [&](std::int64_t row) { return slice(tokens, row, 1).front().first; };
  std::vector<std::int64_t> proposed;
  if (count >= rows) {
    for (std::int64_t row = 0; row < rows; ++row) proposed.push_back(token_of(row));
    return proposed;
  }
  for (const Segment& segment : tokens) {
    for (const std::int64_t token : {segment.last(), segment.first}) {
      if (static_cast<std::int64_t>(proposed.size()) < (count + 1) / 2) proposed.push_back(token);
    }
  }
  for (std::uint64_t draw = 0; static_cast<std::int64_t>(proposed.size()) < count; ++draw) {
    proposed.push_back(token_of(static_cast<std::int64_t>(
        random_below(static_cast<std::uint64_t>(rows), seed, kTokenStream, draw, static_cast<std::uint64_t>(rank)))));
  }
  return proposed;
}

std::set<std::int64_t> landmarks(std::int64_t seq_len) {
  std::set<std::int64_t> tokens = {0, seq_len / 2, seq_len - 1};
  for (int quarter = 1; quarter <= 4; ++quarter) {
    tokens.insert(std::max<std::int64_t>(0, seq_len - quarter * kNormBlockRows / 4));
  }
  return tokens;
}

}  // namespace

std::vector<GroupSample> choose_sample(const Inputs& inputs, std::int64_t rows, const Tokens& tokens, int workers,
                                       const Collective& collective) {
  const Problem& problem = inputs.problem();
  const std::int64_t ranks = collective.size(), rank = collective.rank();
  const std::int64_t quota = rows / ranks + (rank < rows % ranks ? 1 : 0);
  std::set<std::int64_t> proposed;
  for (const auto& part : collective.allgatherv(propose(tokens, quota, inputs.seed(), collective.rank()))) {
    proposed.insert(part.begin(), part.end());
  }

  const std::int64_t most_groups = std::min(rows, affordable_groups(problem, std::min(workers, collective.size())));
  std::vector<GroupSample> samples;
  std::vector<std::set<std::int64_t>> tokens_of;
  for (const std::int64_t group : choose_groups(problem.batch * problem.kv_heads, most_groups, inputs.seed())) {
    samples.push_back({{group / problem.kv_heads, static_cast<int>(group % problem.kv_heads)}, {}});
    tokens_of.push_back(landmarks(problem.seq_len));
  }
  std::size_t next = 0;
  for (const std::int64_t token : proposed) tokens_of[next++ % samples.size()].insert(token);
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i].tokens.assign(tokens_of[i].begin(), tokens_of[i].end());
  return samples;
}

int sampled_head(const Inputs& inputs, HeadGroup group, std::int64_t token) {
  const int heads = inputs.problem().group();
  const auto place = random_below(static_cast<std::uint64_t>(heads), inputs.seed(), kHeadStream,
                                  static_cast<std::uint64_t>(token), static_cast<std::uint64_t>(group.kv_head));
  return group.kv_head * heads + static_cast<int>(place);
}

}  // namespace cpbench
