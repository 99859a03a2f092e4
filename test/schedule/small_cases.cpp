#include "schedule/small_cases.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "shard/random_documents.hpp"

namespace cpbench {
namespace {

template <typename Values>
auto any_of(const Values& values, std::mt19937_64& random) {
  return values[random() % values.size()];
}

}  // namespace

Case random_small_case(std::mt19937_64& random) {
  constexpr std::array kShards = {ShardKind::kContiguous, ShardKind::kZigzag, ShardKind::kStriped,
                                  ShardKind::kZigzagDocs};
  const std::array masks = {Mask::full(), Mask::causal(), Mask::window(2, 0), Mask::window(1, 3)};
  constexpr std::array<std::int64_t, 6> kLengths = {1, 4, 7, 11, 12, 16};
  constexpr std::array<std::array<int, 2>, 4> kHeads = {{{4, 2}, {4, 4}, {2, 1}, {6, 3}}};

  Case c;
  c.algorithm = any_of(all_algorithms(), random);
  c.grid = any_of(grids_of(*c.algorithm, any_of(std::array{1, 2, 3, 4, 4, 5, 6, 8}, random)), random);
  c.shard = any_of(kShards, random);
  c.pass = any_of(std::array{Pass::kForward, Pass::kBackward, Pass::kForwardBackward}, random);
  c.overlap = random() % 4 != 0;
  c.prune = random() % 2 == 0;
  c.accumulate = random() % 3 == 0 ? Accumulate::kMerge : Accumulate::kFused;

  Problem& p = c.problem;
  p.seq_len = any_of(kLengths, random);
  p.documents = random() % 2 == 0 ? Documents::whole(p.seq_len) : random_documents(random, p.seq_len, 7);
  p.mask = any_of(masks, random);
  p.sink = random() % 3 == 0;
  p.head_dim = p.head_dim_v = 8;
  const auto [heads, kv_heads] = any_of(kHeads, random);
  p.heads = std::max(heads, c.grid.ulysses);
  p.kv_heads = p.heads == heads ? kv_heads : p.heads;
  c.uneven_heads = p.heads % c.grid.ulysses != 0;
  c.kv_parts = any_of(std::array{1, 1, 2, 3}, random);
  return c;
}

Case even_case(std::string_view algorithm, const Grid& grid, int heads) {
  Case c;
  c.algorithm = find_algorithm(algorithm);
  c.grid = grid;
  c.shard = ShardKind::kContiguous;
  Problem& p = c.problem;
  p.seq_len = 64;
  p.mask = Mask::full();
  p.documents = Documents::whole(p.seq_len);
  p.heads = p.kv_heads = heads;
  p.head_dim = p.head_dim_v = 8;
  return c;
}

std::string describe(const Case& c) {
  return fmt::format(
      "{} {}x{}x{} {}, {} shards, seq_len {}, docs {}, heads {}/{}, mask {}, {}, sink {}, overlap {}, prune {}, "
      "kv_parts {}, {}",
      c.algorithm->name, c.grid.ulysses, c.grid.outer, c.grid.inner, name_of(c.grid.order), name_of(c.shard),
      c.problem.seq_len, fmt::join(c.problem.documents.lengths(), "+"), c.problem.heads, c.problem.kv_heads,
      to_string(c.problem.mask), name_of(c.pass), c.problem.sink, c.overlap, c.prune, c.kv_parts,
      name_of(c.accumulate));
}

}  // namespace cpbench
