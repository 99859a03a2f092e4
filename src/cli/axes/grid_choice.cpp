#include "cli/axes/grid_choice.hpp"

#include <algorithm>
#include <numeric>
#include <ranges>

#include "cli/axes/legal.hpp"
#include "support/error.hpp"

namespace cpbench {
namespace {

int choose_cp_size(const PointSpec& spec, const ResolveContext& context) {
  const auto cp_size = spec.integer_or(Axis::kCpSize, context.world_size);
  if (context.cp_size_is_bounded && cp_size > context.world_size) {
    refuse("cp_size {} is more than the {} ranks of this job: use at most {}, or start more ranks", cp_size,
           context.world_size, context.world_size);
  }
  return static_cast<int>(cp_size);
}

bool divides_heads(std::int64_t degree, const HeadShare& share, bool uneven_heads) {
  return uneven_heads ? degree <= share.heads : share.heads % degree == 0;
}

// `degree_axis` is what the user can change: ulysses_degree, or cp_size for an algorithm that has nothing else.
void check_heads(std::string_view degree_axis, std::int64_t degree, const HeadShare& share, bool uneven_heads,
                 const std::vector<std::int64_t>& candidates) {
  if (divides_heads(degree, share, uneven_heads)) return;
  const std::int64_t heads = std::int64_t{share.heads} * share.tensor_parallel;
  const std::int64_t product = share.tensor_parallel * degree;
  std::vector<std::int64_t> legal;
  std::ranges::copy_if(candidates, std::back_inserter(legal),
                       [&](std::int64_t candidate) { return divides_heads(candidate, share, uneven_heads); });
  if (uneven_heads) {
    refuse(
        "heads {} are fewer than tensor_parallel {} x {} {} = {}: every rank of a Ulysses group needs one; nearest "
        "legal {}: {}",
        heads, share.tensor_parallel, degree_axis, degree, product, degree_axis, nearest_legal(degree, legal));
  }
  refuse(
      "heads {} are not divisible by tensor_parallel {} x {} {} = {}; nearest legal heads: {}, nearest legal {}: {}{}",
      heads, share.tensor_parallel, degree_axis, degree, product, nearest_multiples(heads, product), degree_axis,
      nearest_legal(degree, legal), degree <= share.heads ? ", or deal them with --uneven-heads" : "");
}

// A Ulysses group of consecutive ranks lies inside a node if the degree divides the node, or if there is one node.
bool fits_a_node(std::int64_t degree, int cp_size, int ranks_per_node) {
  return ranks_per_node == 0 || cp_size <= ranks_per_node || ranks_per_node % degree == 0;
}

int default_ulysses_degree(const PointSpec& spec, int cp_size, const HeadShare& share, const ResolveContext& context) {
  const std::int64_t window = spec.integer_or(Axis::kWindowSize, 1);
  const auto divisors = divisors_of(cp_size);
  for (const std::int64_t degree : divisors | std::views::reverse) {
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
    refuse("ulysses_degree {} does not divide cp_size {}; nearest legal: {}", degree, cp_size,
           nearest_legal(degree, divisors));
  }
  check_heads("ulysses_degree", degree, share, spec.is_on(Axis::kUnevenHeads), divisors);
  return static_cast<int>(degree);
}

int default_window(Algorithm algorithm, int ring) {
  if (algorithm != Algorithm::kDoubleRing) return 1;
  std::int64_t window = 1;
  for (const std::int64_t divisor : divisors_of(ring)) {
    if (divisor * divisor <= ring) window = divisor;
  }
  return static_cast<int>(window);
}

int choose_window(const PointSpec& spec, Algorithm algorithm, int ring, int cp_size) {
  const auto window = spec.integer_or(Axis::kWindowSize, default_window(algorithm, ring));
  if (ring % window != 0) {
    refuse("window_size {} does not divide the ring of {} ranks (cp_size {} / ulysses_degree {}); nearest legal: {}",
           window, ring, cp_size, cp_size / ring, nearest_legal(window, divisors_of(ring)));
  }
  return static_cast<int>(window);
}

}  // namespace

HeadShare share_heads(int heads, int kv_heads, int tensor_parallel) {
  if (heads % tensor_parallel != 0 || kv_heads % tensor_parallel != 0) {
    refuse("tensor_parallel {} does not divide both heads {} and kv_heads {}; nearest legal: {}", tensor_parallel,
           heads, kv_heads, nearest_legal(tensor_parallel, divisors_of(std::gcd(heads, kv_heads))));
  }
  return {heads / tensor_parallel, kv_heads / tensor_parallel, tensor_parallel};
}

Grid choose_grid(const PointSpec& spec, Algorithm algorithm, const HeadShare& share, const ResolveContext& context) {
  const int cp_size = choose_cp_size(spec, context);
  switch (algorithm) {
    case Algorithm::kUlysses:
      check_heads("cp_size", cp_size, share, spec.is_on(Axis::kUnevenHeads), divisors_of(share.heads));
      return {.ulysses = cp_size};
    case Algorithm::kRing:
    case Algorithm::kAllGather:
      return {.inner = cp_size};
    case Algorithm::kDoubleRing:
    case Algorithm::kHybrid:
      break;
  }
  const int ulysses = algorithm == Algorithm::kHybrid ? choose_ulysses_degree(spec, cp_size, share, context) : 1;
  const int ring = cp_size / ulysses;
  const int window = choose_window(spec, algorithm, ring, cp_size);
  // A hybrid without windows has plain rings, as `ring` has.
  const int inner = algorithm == Algorithm::kHybrid && window == 1 ? ring : window;
  Grid grid{.ulysses = ulysses, .outer = ring / inner, .inner = inner};
  // With a single place or a single ring position both orders are the same.
  if (ulysses > 1 && ring > 1) grid.order = parse_rank_order(spec.word(Axis::kRankOrder));
  return grid;
}

int window_size_of(Algorithm algorithm, const Grid& grid) {
  if (algorithm == Algorithm::kHybrid) return grid.outer == 1 ? 1 : grid.inner;
  return algorithm == Algorithm::kDoubleRing ? grid.inner : 1;
}

}  // namespace cpbench
