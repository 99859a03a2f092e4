// An algorithm: a function from a case to the program of each rank, and which process grids it takes. Each registers
// itself from its own file in algorithms/, so that adding one touches nothing else (CONTRIBUTING.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "shard/shard.hpp"
#include "support/registry.hpp"
#include "topology/grid.hpp"

namespace cpbench {

struct Case;
struct Program;

/// Who holds which tokens: by rank, and by ring position (all places of a position together, in order).
struct Shards {
  std::vector<Tokens> of_rank;
  std::vector<Tokens> of_position;
};
Shards make_shards(const Case& c);

/// How the ring level of a grid may be made.
enum class RingLevel : std::uint8_t {
  kNone,             ///< a single ring position
  kPlain,            ///< one window: `outer` is 1
  kWindows,          ///< any windows; by default about as many as members of one
  kOptionalWindows,  ///< any windows; by default one
};

struct Algorithm {
  std::string name;        ///< for `--algo`
  bool has_ulysses_level;  ///< takes a Ulysses degree above 1
  RingLevel ring;
  ShardKind default_shard;  ///< without a ring the shard makes no difference and is always this one
  Program (*program)(const Case& c, const Shards& shards, int rank);  ///< before any pass

  /// Whether the ranks alone do not say how large its levels are: there are Ulysses groups of any size, or windows.
  bool leaves_degree_open() const { return has_ulysses_level && ring != RingLevel::kNone; }
  bool leaves_window_open() const { return ring == RingLevel::kWindows || ring == RingLevel::kOptionalWindows; }
};

/// Whether the algorithm can run on the grid, whatever the heads.
bool takes(const Algorithm& algorithm, const Grid& grid);

/// Every grid of `ranks` ranks that the algorithm takes, with both rank orders where they differ.
std::vector<Grid> grids_of(const Algorithm& algorithm, int ranks);

/// A static object of an algorithm's file: `const RegisterAlgorithm kRegistered({.name = "ring", ...});`
using RegisterAlgorithm = Register<Algorithm>;

/// By name, ascending. Pointers stay valid.
std::vector<const Algorithm*> all_algorithms();
/// `all-gather, double-ring, ...`
std::string algorithm_names();
/// Throws a usage error with the nearest known name.
const Algorithm* find_algorithm(std::string_view name);

}  // namespace cpbench
