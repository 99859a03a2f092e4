#include "schedule/case.hpp"

#include <array>
#include <cstdlib>
#include <stdexcept>

#include "support/error.hpp"
#include "support/names.hpp"

namespace cpbench {
namespace {

constexpr std::array<Named<Accumulate>, 2> kAccumulates = {
    {{Accumulate::kFused, "fused"}, {Accumulate::kMerge, "merge"}}};

std::string_view ring_rule(RingLevel ring) {
  switch (ring) {
    case RingLevel::kNone:
      return "no ring";
    case RingLevel::kPlain:
      return "a ring of one window";
    case RingLevel::kWindows:
    case RingLevel::kOptionalWindows:
      break;
  }
  return "a ring of any windows";
}

void check_grid(const Case& c) {
  const Grid& g = c.grid;
  if (g.ulysses < 1 || g.outer < 1 || g.inner < 1) {
    refuse("the process grid {} x {} x {} (ulysses x outer x inner) must have positive sizes", g.ulysses, g.outer,
           g.inner);
  }
  if (takes(*c.algorithm, g)) return;
  refuse("{} does not run on a grid of {} x {} x {} (ulysses x outer x inner): it takes {} and {}", c.algorithm->name,
         g.ulysses, g.outer, g.inner, c.algorithm->has_ulysses_level ? "any ulysses degree" : "no ulysses degree",
         ring_rule(c.algorithm->ring));
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

std::string_view name_of(Accumulate accumulate) { return name_in(kAccumulates, accumulate); }
Accumulate parse_accumulate(std::string_view name) { return parse_in(kAccumulates, "accumulate mode", name); }

void check(const Case& c) {
  if (c.algorithm == nullptr) throw std::logic_error("a case has no algorithm");
  check(c.problem);
  check_grid(c);
  check_heads(c);
  if (c.kv_parts < 1) refuse("a step takes its K/V in at least one part, not {}", c.kv_parts);
}

}  // namespace cpbench
