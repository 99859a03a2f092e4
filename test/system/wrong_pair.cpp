#include "system/wrong_pair.hpp"

#include <algorithm>
#include <random>
#include <variant>
#include <vector>

namespace cpbench::test {
namespace {

/// Rows [begin, begin + count) of a tile as a canonical tile; they see something.
Tile canonical_rows(const Tile& tile, std::int64_t begin, std::int64_t count) {
  const std::int64_t k_begin = tile.key_begin(begin), k_count = tile.key_end(begin + count - 1) - k_begin;
  return {tile.q_begin + begin,
          count,
          tile.k_begin + k_begin,
          k_count,
          std::max(tile.lo + begin - k_begin, -(count - 1)),
          std::min(tile.hi + begin - k_begin, k_count - 1)};
}

/// The pairs of `tile`, but one more or less in `row`.
std::vector<Tile> with_wrong_row(const Tile& tile, std::int64_t row) {
  std::vector<Tile> tiles;
  if (row > 0) tiles.push_back(canonical_rows(tile, 0, row));
  Tile wrong = canonical_rows(tile, row, 1);
  const bool has_room = wrong.k_end() < tile.k_end();
  wrong.k_count += has_room ? 1 : -1;
  wrong.hi = wrong.k_count - 1;
  if (wrong.k_count > 0) tiles.push_back(wrong);
  if (row + 1 < tile.q_count) tiles.push_back(canonical_rows(tile, row + 1, tile.q_count - row - 1));
  return tiles;
}

/// A step with tiles, and one of them.
struct Place {
  int rank;
  OpId op;
  Slice tiles;
};

std::vector<Place> places_of(const Schedule& schedule, bool backward) {
  std::vector<Place> places;
  for (int rank = 0; rank < static_cast<int>(schedule.programs.size()); ++rank) {
    const Program& program = schedule.programs[static_cast<std::size_t>(rank)];
    for (OpId id = 0; id < static_cast<OpId>(program.ops.size()); ++id) {
      const Action& action = program.ops[static_cast<std::size_t>(id)].action;
      const auto* forward_step = std::get_if<Attend>(&action);
      const auto* backward_step = std::get_if<AttendBackward>(&action);
      if (!backward && forward_step != nullptr) places.push_back({rank, id, forward_step->tiles});
      if (backward && backward_step != nullptr) places.push_back({rank, id, backward_step->tiles});
    }
  }
  std::erase_if(places, [](const Place& place) { return place.tiles.count == 0; });
  return places;
}

}  // namespace

std::optional<WrongPair> wrong_pair(const Schedule& schedule, bool backward, std::uint64_t seed) {
  const std::vector<Place> places = places_of(schedule, backward);
  if (places.empty()) return std::nullopt;
  std::mt19937_64 random(seed);
  const Place& place = places[random() % places.size()];
  WrongPair wrong{place.rank, {schedule.programs[static_cast<std::size_t>(place.rank)], {}, {}}};
  Program& program = wrong.plant.program;

  const auto first = program.tiles.begin() + place.tiles.begin;
  std::vector<Tile> tiles(first, first + place.tiles.count);
  const auto chosen = tiles.begin() + static_cast<std::ptrdiff_t>(random() % tiles.size());
  const auto row = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(chosen->q_count));
  const std::vector<Tile> replacement = with_wrong_row(*chosen, row);
  tiles.insert(tiles.erase(chosen), replacement.begin(), replacement.end());

  const Slice slice{static_cast<std::uint32_t>(program.tiles.size()), static_cast<std::uint32_t>(tiles.size())};
  program.tiles.insert(program.tiles.end(), tiles.begin(), tiles.end());
  Op op = program.ops[static_cast<std::size_t>(place.op)];
  if (auto* attend = std::get_if<Attend>(&op.action)) attend->tiles = slice;
  if (auto* attend = std::get_if<AttendBackward>(&op.action)) attend->tiles = slice;
  wrong.plant.instead[place.op] = {op};
  return wrong;
}

}  // namespace cpbench::test
