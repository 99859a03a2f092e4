#include "cli/axes/grid_choice.hpp"

#include <algorithm>
#include <numeric>

#include "cli/axes/legal.hpp"
#include "support/counted.hpp"
#include "support/error.hpp"

namespace cpbench {
namespace {

int choose_cp_size(const PointSpec& spec, const ResolveContext& context) {
  const auto cp_size = spec.integer_or(Axis::kCpSize, context.world_size);
  if (context.cp_size_is_bounded && cp_size > context.world_size) {
    std::vector<std::int64_t> candidates(static_cast<std::size_t>(context.world_size));
    std::iota(candidates.begin(), candidates.end(), 1);
    refuse_point({{Axis::kCpSize, cp_size, candidates}}, "cp_size {} is more than the {} of this job: start more",
                 cp_size, counted(context.world_size, "rank"));
  }
  return static_cast<int>(cp_size);
}

// Whole windows of whole Ulysses groups.
Remedy other_cp_size(int cp_size, std::int64_t degree, std::int64_t window) {
  return {Axis::kCpSize, cp_size, multiples_around(cp_size, degree * window)};
}

bool divides_heads(std::int64_t degree, const HeadShare& share, bool uneven_heads) {
  return uneven_heads ? degree <= share.heads : share.heads % degree == 0;
}

// Heads that `unit` divides, and the K/V heads that are given; with uneven heads, of which every place of a group needs
// one, those that tensor_parallel divides.
std::vector<std::int64_t> head_candidates(std::int64_t heads, std::int64_t kv_heads, std::int64_t unit,
                                          std::int64_t tensor_parallel, bool uneven_heads) {
  if (uneven_heads) {
    const std::int64_t step = std::lcm(tensor_parallel, kv_heads);
    return {unit, (unit + step - 1) / step * step};
  }
  std::vector<std::int64_t> candidates = multiples_around(heads, unit);
  const auto with_kv_heads = multiples_around(heads, std::lcm(unit, kv_heads));
  candidates.insert(candidates.end(), with_kv_heads.begin(), with_kv_heads.end());
  std::ranges::sort(candidates);
  return candidates;
}

// `degree_axis` is what the user can change: ulysses_degree, or cp_size for an algorithm that has nothing else.
void check_heads(Axis degree_axis, std::int64_t degree, const HeadShare& share, bool uneven_heads,
                 const std::vector<std::int64_t>& degrees) {
  if (divides_heads(degree, share, uneven_heads)) return;
  const std::int64_t tensor_parallel = share.tensor_parallel, product = tensor_parallel * degree;
  const std::int64_t heads = share.heads * tensor_parallel, kv_heads = share.kv_heads * tensor_parallel;
  refuse_point({{Axis::kHeads, heads, head_candidates(heads, kv_heads, product, tensor_parallel, uneven_heads)},
                {degree_axis, degree, degrees},
                {Axis::kUnevenHeads, 0, {1}}},
               "heads {} are {} tensor_parallel {} x {} {} = {}{}", heads,
               uneven_heads ? "fewer than" : "not divisible by", tensor_parallel, info_of(degree_axis).name, degree,
               product, uneven_heads ? ": every rank of a Ulysses group needs one" : "");
}

bool has_several_nodes(int cp_size, int ranks_per_node) { return ranks_per_node != 0 && cp_size > ranks_per_node; }

// A Ulysses group of consecutive ranks lies inside a node if the degree divides the node, or if there is one node.
bool fits_a_node(std::int64_t degree, int cp_size, int ranks_per_node) {
  return !has_several_nodes(cp_size, ranks_per_node) || ranks_per_node % degree == 0;
}

int default_ulysses_degree(const PointSpec& spec, int cp_size, const HeadShare& share, const ResolveContext& context) {
  const std::int64_t window = spec.integer_or(Axis::kWindowSize, 1);
  auto divisors = divisors_of(cp_size);
  std::ranges::reverse(divisors);
  for (const std::int64_t degree : divisors) {
    if (divides_heads(degree, share, spec.is_on(Axis::kUnevenHeads)) &&
        fits_a_node(degree, cp_size, context.ranks_per_node) && cp_size / degree % window == 0) {
      return static_cast<int>(degree);
    }
  }
  return 1;  // the window divides no ring: it is refused next
}

int choose_ulysses_degree(const PointSpec& spec, int cp_size, const HeadShare& share, const ResolveContext& context) {
  if (!spec.has(Axis::kUlyssesDegree)) return default_ulysses_degree(spec, cp_size, share, context);
  const auto degree = spec.at(Axis::kUlyssesDegree).get<std::int64_t>();
  const auto divisors = divisors_of(cp_size);
  if (cp_size % degree != 0) {
    refuse_point({{Axis::kUlyssesDegree, degree, divisors},
                  other_cp_size(cp_size, degree, spec.integer_or(Axis::kWindowSize, 1))},
                 "ulysses_degree {} does not divide cp_size {}", degree, cp_size);
  }
  check_heads(Axis::kUlyssesDegree, degree, share, spec.is_on(Axis::kUnevenHeads), divisors);
  return static_cast<int>(degree);
}

// What a node holds of the ring, so that only whole windows pass K/V from node to node. On one node the window that
// makes the outer ring about as long as the inner one.
int default_window(const Algorithm& algorithm, int ring, const ResolveContext& context) {
  if (algorithm.ring != RingLevel::kWindows) return 1;
  if (has_several_nodes(ring, context.ranks_per_node)) return std::gcd(ring, context.ranks_per_node);
  std::int64_t window = 1;
  for (const std::int64_t divisor : divisors_of(ring)) {
    if (divisor * divisor <= ring) window = divisor;
  }
  return static_cast<int>(window);
}

int choose_window(const PointSpec& spec, const Algorithm& algorithm, int ring, int cp_size,
                  const ResolveContext& context) {
  const auto window = spec.integer_or(Axis::kWindowSize, default_window(algorithm, ring, context));
  if (ring % window != 0) {
    const int degree = cp_size / ring;
    const auto divisors = divisors_of(cp_size);
    refuse_point({{Axis::kWindowSize, window, divisors},
                  other_cp_size(cp_size, degree, window),
                  {Axis::kUlyssesDegree, degree, divisors}},
                 "window_size {} does not divide the ring of {} (cp_size {} / ulysses_degree {})", window,
                 counted(ring, "rank"), cp_size, degree);
  }
  return static_cast<int>(window);
}

// Without a ring the degree is cp_size, and that is what the user can change.
int choose_degree(const PointSpec& spec, const Algorithm& algorithm, int cp_size, const HeadShare& share,
                  const ResolveContext& context) {
  if (!algorithm.has_ulysses_level) return 1;
  if (algorithm.leaves_degree_open()) return choose_ulysses_degree(spec, cp_size, share, context);
  check_heads(Axis::kCpSize, cp_size, share, spec.is_on(Axis::kUnevenHeads), divisors_of(share.heads));
  return cp_size;
}

// Members of a window of the ring.
int choose_inner(const PointSpec& spec, const Algorithm& algorithm, int ring, int cp_size,
                 const ResolveContext& context) {
  if (!algorithm.leaves_window_open()) return ring;
  const int window = choose_window(spec, algorithm, ring, cp_size, context);
  // Where windows are optional, windows of one member mean none.
  return algorithm.ring == RingLevel::kOptionalWindows && window == 1 ? ring : window;
}

// Heads that tensor_parallel divides, each share for every Ulysses degree that the point may come to.
std::vector<std::int64_t> shareable_heads(const PointSpec& spec, int heads, int tensor_parallel,
                                          const ResolveContext& context) {
  std::vector<std::int64_t> candidates;
  for (const std::int64_t degree : {std::int64_t{1}, spec.integer_or(Axis::kUlyssesDegree, 1),
                                    spec.integer_or(Axis::kCpSize, context.world_size)}) {
    const auto multiples = multiples_around(heads, tensor_parallel * degree);
    candidates.insert(candidates.end(), multiples.begin(), multiples.end());
  }
  std::ranges::sort(candidates);
  return candidates;
}

std::vector<std::int64_t> shareable_kv_heads(int heads, int tensor_parallel) {
  std::vector<std::int64_t> candidates = divisors_of(heads);
  std::erase_if(candidates, [&](std::int64_t kv_heads) { return kv_heads % tensor_parallel != 0; });
  return candidates;
}

}  // namespace

HeadShare share_heads(const PointSpec& spec, int heads, int kv_heads, const ResolveContext& context) {
  const int tensor_parallel = static_cast<int>(spec.integer(Axis::kTensorParallel));
  if (heads % kv_heads != 0) {
    refuse_point(
        {{Axis::kKvHeads, kv_heads, divisors_of(heads)}, {Axis::kHeads, heads, multiples_around(heads, kv_heads)}},
        "kv_heads {} does not divide heads {}: every K/V head serves the same number of query heads", kv_heads, heads);
  }
  if (kv_heads % tensor_parallel != 0) {
    const bool kv_heads_follow = kv_heads == heads && !spec.has(Axis::kKvHeads);
    refuse_point({{Axis::kTensorParallel, tensor_parallel, divisors_of(kv_heads)},
                  kv_heads_follow ? Remedy{Axis::kHeads, heads, shareable_heads(spec, heads, tensor_parallel, context)}
                                  : Remedy{Axis::kKvHeads, kv_heads, shareable_kv_heads(heads, tensor_parallel)}},
                 "tensor_parallel {} does not divide both heads {} and kv_heads {}", tensor_parallel, heads, kv_heads);
  }
  return {heads / tensor_parallel, kv_heads / tensor_parallel, tensor_parallel};
}

Grid choose_grid(const PointSpec& spec, const Algorithm& algorithm, const HeadShare& share,
                 const ResolveContext& context) {
  const int cp_size = choose_cp_size(spec, context);
  const int ulysses = choose_degree(spec, algorithm, cp_size, share, context);
  const int ring = cp_size / ulysses;
  const int inner = choose_inner(spec, algorithm, ring, cp_size, context);
  Grid grid{.ulysses = ulysses, .outer = ring / inner, .inner = inner};
  // With a single place or a single ring position both orders are the same.
  if (ulysses > 1 && ring > 1) grid.order = parse_rank_order(spec.word(Axis::kRankOrder));
  return grid;
}

int window_size_of(const Algorithm& algorithm, const Grid& grid) {
  if (algorithm.ring == RingLevel::kOptionalWindows) return grid.outer == 1 ? 1 : grid.inner;
  return algorithm.ring == RingLevel::kWindows ? grid.inner : 1;
}

}  // namespace cpbench
