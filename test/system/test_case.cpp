#include "system/test_case.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <random>
#include <vector>

#include "backend/kernel.hpp"
#include "shard/random_documents.hpp"

namespace cpbench::test {
namespace {

/// Draws that are the same with every standard library, as those of its distributions are not.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}

  std::int64_t between(std::int64_t first, std::int64_t last) {
    return first + static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(last - first + 1));
  }
  bool percent(int chance) { return between(1, 100) <= chance; }
  template <typename T>
  T pick(const std::vector<T>& values) {
    return values[static_cast<std::size_t>(between(0, static_cast<std::int64_t>(values.size()) - 1))];
  }
  template <typename T>
  T pick(std::initializer_list<T> values) {
    return pick(std::vector<T>(values));
  }

  std::mt19937_64& engine() { return engine_; }

 private:
  std::mt19937_64 engine_;
};

/// MHA, GQA or MQA with a query head for every Ulysses place.
void draw_heads(Dice& dice, const Grid& grid, Problem& p) {
  do {
    p.kv_heads = static_cast<int>(dice.between(1, 9));
    p.heads = p.kv_heads * dice.pick({1, 1, 2, 3, 4});
  } while (p.heads < grid.ulysses || p.heads > 12);
}

void draw_head_dims(Dice& dice, Problem& p) {
  const auto dim = [&] { return dice.percent(8) ? dice.pick({72, 128, 192, 256}) : dice.pick({8, 8, 16, 24, 32, 64}); };
  p.head_dim = dim();
  p.head_dim_v = dice.percent(60) ? p.head_dim : dim();
  p.scale = 1 / std::sqrt(static_cast<double>(p.head_dim));
  if (dice.percent(20)) p.scale *= dice.pick({0.1, 0.5, 1.5});
}

/// What a case may cost: the brute force takes some 50 ms for as much.
constexpr std::int64_t kMostProducts = 20'000'000;

std::int64_t products_per_pair(const Problem& p) { return std::int64_t{p.heads} * (p.head_dim + p.head_dim_v); }

std::int64_t random_seq_len(Dice& dice, int ranks) {
  switch (dice.between(0, 9)) {
    case 0:
      return dice.between(1, std::max(1, ranks - 1));
    case 1:
    case 2:
      return dice.pick<std::int64_t>({1, 2, 3, 5, 7, 13, 31, 61, 97, 127, 149, 199});
    case 3:
    case 4:
      return 16 * dice.between(1, 12);
    default:
      return dice.between(1, 200);
  }
}

Mask random_mask(Dice& dice, std::int64_t seq_len) {
  const auto reach = [&] { return dice.percent(30) ? std::int64_t{0} : dice.between(0, seq_len); };
  switch (dice.between(0, 4)) {
    case 0:
      return Mask::full();
    case 1:
    case 2:
      return Mask::causal();
    case 3:
      return Mask::window(reach(), 0);
    default: {
      const std::int64_t left = reach();
      return Mask::window(left, reach());
    }
  }
}

Problem random_problem(Dice& dice, const Grid& grid) {
  Problem p;
  draw_heads(dice, grid, p);
  draw_head_dims(dice, p);
  const auto longest = static_cast<std::int64_t>(std::sqrt(kMostProducts / products_per_pair(p)));
  p.seq_len = std::min(longest, random_seq_len(dice, grid.size()));
  p.dtype = dice.pick({DType::kFp32, DType::kBf16, DType::kFp16});
  p.mask = random_mask(dice, p.seq_len);
  const bool is_whole = dice.percent(60);
  p.documents =
      is_whole ? Documents::whole(p.seq_len) : random_documents(dice.engine(), p.seq_len, dice.between(1, p.seq_len));
  p.sink = dice.percent(40);
  p.layout = dice.pick({Layout::kBshd, Layout::kSbhd, Layout::kBhsd, Layout::kThd});
  p.batch =
      std::clamp<std::int64_t>(kMostProducts / (products_per_pair(p) * p.seq_len * p.seq_len), 1, dice.between(1, 3));
  return p;
}

}  // namespace

TestCase random_case(std::uint64_t seed) {
  Dice dice(seed);
  TestCase t{.seed = seed};
  Case& c = t.c;
  c.algorithm = dice.pick(all_algorithms());
  c.grid = dice.pick(grids_of(*c.algorithm, static_cast<int>(dice.between(1, 8))));
  c.problem = random_problem(dice, c.grid);
  c.shard = dice.pick({ShardKind::kContiguous, ShardKind::kZigzag, ShardKind::kStriped, ShardKind::kZigzagDocs});
  c.pass = dice.pick({Pass::kForward, Pass::kBackward, Pass::kForwardBackward, Pass::kForwardBackward});
  c.uneven_heads = c.problem.heads % c.grid.ulysses != 0 || dice.percent(20);
  c.overlap = dice.percent(70);
  c.prune = dice.percent(70);
  c.accumulate = dice.percent(70) ? Accumulate::kFused : Accumulate::kMerge;
  t.input = dice.pick({InputKind::kNormal, InputKind::kNormal, InputKind::kNormal, InputKind::kOutlier,
                       InputKind::kLargeLogits, InputKind::kConstant});
  t.max_delay = static_cast<int>(dice.pick({0, 1, 5, 20}));
  t.kernel = dice.pick(kernel_names());
  c.kv_parts = dice.percent(75) ? 1 : static_cast<int>(dice.between(2, 5));
  return t;
}

Results run_once(const TestCase& t, const JobOptions& options) {
  CaseJob job = t.job(options);
  if (t.c.pass == Pass::kBackward) {
    job.run(Pass::kForward);
    job.run(Pass::kBackward);
  } else {
    job.run(Pass::kForwardBackward);
  }
  return job.results();
}

std::string flags_of(const TestCase& t) {
  const Case& c = t.c;
  const Problem& p = c.problem;
  std::string flags = fmt::format(
      "--algo {} --cp-size {} --ulysses-degree {} --window-size {} --rank-order {} --shard {} --seq-len {} --batch {} "
      "--heads {} --kv-heads {} --head-dim {} --head-dim-v {} --dtype {} --mask {} --layout {} --pass {} --scale {} "
      "--overlap {} --prune {} --kv-parts {} --accumulate {} --input {} --seed {} --kernel {}",
      c.algorithm->name, c.cp_size(), c.grid.ulysses, c.grid.inner, name_of(c.grid.order), name_of(c.shard), p.seq_len,
      p.batch, p.heads, p.kv_heads, p.head_dim, p.head_dim_v, name_of(p.dtype), to_string(p.mask), name_of(p.layout),
      name_of(c.pass), p.scale, c.overlap ? "on" : "off", c.prune ? "on" : "off", c.kv_parts, name_of(c.accumulate),
      name_of(t.input), t.seed, t.kernel);
  if (p.documents.count() > 1) flags += fmt::format(" --docs {}", fmt::join(p.documents.lengths(), ","));
  if (p.sink) flags += " --sink";
  if (c.uneven_heads) flags += " --uneven-heads";
  return flags;
}

std::ostream& operator<<(std::ostream& stream, const TestCase& t) {
  return stream << "cpbench run " << flags_of(t) << "   (loopback delays up to " << t.max_delay << ")";
}

}  // namespace cpbench::test
