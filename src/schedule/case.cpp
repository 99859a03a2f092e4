#include "schedule/case.hpp"

#include <array>
#include <cstdlib>

#include "support/error.hpp"
#include "support/names.hpp"

namespace cpbench {
namespace {

constexpr std::array<Named<Algorithm>, 5> kAlgorithms = {{{Algorithm::kUlysses, "ulysses"},
                                                          {Algorithm::kRing, "ring"},
                                                          {Algorithm::kDoubleRing, "double-ring"},
                                                          {Algorithm::kHybrid, "hybrid"},
                                                          {Algorithm::kAllGather, "all-gather"}}};
constexpr std::array<Named<Accumulate>, 2> kAccumulates = {
    {{Accumulate::kFused, "fused"}, {Accumulate::kMerge, "merge"}}};

void check_grid(const Case& c) {
  const Grid& g = c.grid;
  if (g.ulysses < 1 || g.outer < 1 || g.inner < 1) {
    refuse("the process grid {} x {} x {} (ulysses x outer x inner) must have positive sizes", g.ulysses, g.outer,
           g.inner);
  }
  const bool single_place = g.ulysses == 1, single_window = g.outer == 1;
  switch (c.algorithm) {
    case Algorithm::kUlysses:
      if (g.ring() != 1) refuse("ulysses has no ring: its ulysses degree {} must be cp_size {}", g.ulysses, g.size());
      break;
    case Algorithm::kRing:
    case Algorithm::kAllGather:
      if (!single_place || !single_window) {
        refuse("{} has neither ulysses degree nor windows, not {} x {} x {}", name_of(c.algorithm), g.ulysses, g.outer,
               g.inner);
      }
      break;
    case Algorithm::kDoubleRing:
      if (!single_place) refuse("double-ring has no ulysses degree (asked: {}): use hybrid", g.ulysses);
      break;
    case Algorithm::kHybrid:
      break;
  }
}

/// The divisor of `n` closest to `wanted` (the smaller of two).
int nearest_divisor(int n, int wanted) {
  int best = 1;
  for (int d = 1; d <= n; ++d) {
    if (n % d == 0 && std::abs(d - wanted) < std::abs(best - wanted)) best = d;
  }
  return best;
}

void check_heads(const Case& c) {
  const int heads = c.problem.heads, degree = c.grid.ulysses;
  if (degree > heads) {
    refuse(
        "ulysses degree {} is more than the {} query heads: each rank of a Ulysses group needs a head; use at most {}",
        degree, heads, nearest_divisor(heads, degree));
  }
  if (heads % degree != 0 && !c.uneven_heads) {
    refuse(
        "{} query heads do not divide over ulysses degree {}: use a degree that divides them (nearest: {}) or "
        "--uneven-heads",
        heads, degree, nearest_divisor(heads, degree));
  }
}

}  // namespace

std::string_view name_of(Algorithm algorithm) { return name_in(kAlgorithms, algorithm); }
Algorithm parse_algorithm(std::string_view name) { return parse_in(kAlgorithms, "algorithm", name); }
std::string_view name_of(Accumulate accumulate) { return name_in(kAccumulates, accumulate); }
Accumulate parse_accumulate(std::string_view name) { return parse_in(kAccumulates, "accumulate mode", name); }

void check(const Case& c) {
  check(c.problem);
  check_grid(c);
  check_heads(c);
}

}  // namespace cpbench
