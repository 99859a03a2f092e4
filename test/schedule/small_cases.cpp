#include "schedule/small_cases.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

namespace cpbench {
namespace {

template <typename T, std::size_t kCount>
T any_of(const std::array<T, kCount>& values, std::mt19937_64& random) {
  return values[random() % kCount];
}

Grid random_grid(Algorithm algorithm, std::mt19937_64& random) {
  const int a = 1 + static_cast<int>(random() % 3), b = 1 + static_cast<int>(random() % 3);
  const RankOrder order = random() % 2 == 0 ? RankOrder::kUlyssesInner : RankOrder::kRingInner;
  switch (algorithm) {
    case Algorithm::kUlysses:
      return {.ulysses = a + b - 1, .outer = 1, .inner = 1, .order = order};
    case Algorithm::kDoubleRing:
      return {.ulysses = 1, .outer = a, .inner = b, .order = order};
    case Algorithm::kHybrid:
      return {.ulysses = 2, .outer = a == 3 ? 1 : a, .inner = b == 3 && a == 2 ? 2 : b, .order = order};
    case Algorithm::kRing:
    case Algorithm::kAllGather:
      break;
  }
  return {.ulysses = 1, .outer = 1, .inner = a + b - 1, .order = order};
}

Documents random_documents(std::int64_t seq_len, std::mt19937_64& random) {
  if (random() % 2 == 0) return Documents::whole(seq_len);
  std::vector<std::int64_t> lengths;
  for (std::int64_t rest = seq_len; rest > 0; rest -= lengths.back()) {
    lengths.push_back(1 + static_cast<std::int64_t>(random() % 7) % rest);
  }
  return Documents::from_lengths(lengths, seq_len);
}

}  // namespace

Case random_small_case(std::mt19937_64& random) {
  constexpr std::array kAlgorithms = {Algorithm::kUlysses, Algorithm::kRing, Algorithm::kDoubleRing, Algorithm::kHybrid,
                                      Algorithm::kAllGather};
  constexpr std::array kShards = {ShardKind::kContiguous, ShardKind::kZigzag, ShardKind::kStriped,
                                  ShardKind::kZigzagDocs};
  const std::array kMasks = {Mask::full(), Mask::causal(), Mask::window(2, 0), Mask::window(1, 3)};
  constexpr std::array<std::int64_t, 6> kLengths = {1, 4, 7, 11, 12, 16};
  constexpr std::array<std::array<int, 2>, 4> kHeads = {{{4, 2}, {4, 4}, {2, 1}, {6, 3}}};

  Case c;
  c.algorithm = any_of(kAlgorithms, random);
  c.grid = random_grid(c.algorithm, random);
  c.shard = any_of(kShards, random);
  c.pass = any_of(std::array{Pass::kForward, Pass::kBackward, Pass::kForwardBackward}, random);
  c.overlap = random() % 4 != 0;
  c.prune = random() % 2 == 0;
  c.accumulate = random() % 3 == 0 ? Accumulate::kMerge : Accumulate::kFused;

  Problem& p = c.problem;
  p.seq_len = any_of(kLengths, random);
  p.documents = random_documents(p.seq_len, random);
  p.mask = any_of(kMasks, random);
  p.sink = random() % 3 == 0;
  p.head_dim = p.head_dim_v = 8;
  const auto [heads, kv_heads] = any_of(kHeads, random);
  p.heads = std::max(heads, c.grid.ulysses);
  p.kv_heads = p.heads == heads ? kv_heads : p.heads;
  c.uneven_heads = p.heads % c.grid.ulysses != 0;
  return c;
}

std::string describe(const Case& c) {
  return fmt::format(
      "{} {}x{}x{} {}, {} shards, seq_len {}, docs {}, heads {}/{}, mask {}, {}, sink {}, overlap {}, prune {}, {}",
      name_of(c.algorithm), c.grid.ulysses, c.grid.outer, c.grid.inner, name_of(c.grid.order), name_of(c.shard),
      c.problem.seq_len, fmt::join(c.problem.documents.lengths(), "+"), c.problem.heads, c.problem.kv_heads,
      to_string(c.problem.mask), name_of(c.pass), c.problem.sink, c.overlap, c.prune, name_of(c.accumulate));
}

}  // namespace cpbench
