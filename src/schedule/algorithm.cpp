#include "schedule/algorithm.hpp"

#include <fmt/ranges.h>

#include <utility>

#include "schedule/case.hpp"
#include "support/registry.hpp"

namespace cpbench {
namespace {

NamedRegistry<Algorithm>& registry() {
  static NamedRegistry<Algorithm> all("algorithm");
  return all;
}

}  // namespace

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

RegisterAlgorithm::RegisterAlgorithm(Algorithm algorithm) {
  const std::string name = algorithm.name;
  registry().add(name, std::move(algorithm));
}

std::vector<const Algorithm*> all_algorithms() {
  std::vector<const Algorithm*> all;
  for (const auto& [name, algorithm] : registry().all()) all.push_back(&algorithm);
  return all;
}

std::string algorithm_names() { return fmt::format("{}", fmt::join(registry().names(), ", ")); }

const Algorithm* find_algorithm(std::string_view name) { return &registry().find(name); }

}  // namespace cpbench
