#include "schedule/algorithm.hpp"

#include <fmt/ranges.h>

#include "schedule/case.hpp"

namespace cpbench {

Shards make_shards(const Case& c) {
  return {.of_rank = shard_over_grid(c.shard, c.problem.documents, c.grid),
          .of_position = shard_over_ring(c.shard, c.problem.documents, c.grid.ring())};
}

bool takes(const Algorithm& algorithm, const Grid& grid) {
  if (grid.ulysses > 1 && !algorithm.has_ulysses_level) return false;
  if (grid.ring() > 1 && algorithm.ring == RingLevel::kNone) return false;
  return grid.outer == 1 || algorithm.ring != RingLevel::kPlain;
}

std::vector<Grid> grids_of(const Algorithm& algorithm, int ranks) {
  std::vector<Grid> grids;
  for (int ulysses = 1; ulysses <= ranks; ++ulysses) {
    for (int outer = 1; outer <= ranks / ulysses; ++outer) {
      Grid grid{.ulysses = ulysses, .outer = outer, .inner = ranks / (ulysses * outer)};
      if (grid.size() != ranks || !takes(algorithm, grid)) continue;
      grids.push_back(grid);
      if (ulysses == 1 || grid.ring() == 1) continue;
      grid.order = RankOrder::kRingInner;
      grids.push_back(grid);
    }
  }
  return grids;
}

std::vector<const Algorithm*> all_algorithms() { return registered_by_name<Algorithm>(); }

std::string algorithm_names() { return fmt::format("{}", fmt::join(registered_names<Algorithm>(), ", ")); }

const Algorithm* find_algorithm(std::string_view name) { return &find_registered<Algorithm>("algorithm", name); }

}  // namespace cpbench
