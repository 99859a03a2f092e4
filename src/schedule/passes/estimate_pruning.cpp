// What pruning will come to, judged by one rank's program before any is pruned.
#include <algorithm>
#include <bit>
#include <map>
#include <set>

#include "schedule/passes.hpp"
#include "schedule/passes/prune_rank.hpp"

namespace cpbench {
namespace {

/// Calls visit(buffer, key boxes) for the K/V that attends read, and for the gradients that they make of it.
template <typename Visitor>
void for_each_key_boxes(const Program& program, Visitor&& visit) {
  const auto boxes = [&](std::span<const Tile> tiles, BufferId buffer) {
    visit(buffer, key_boxes(tiles, buffer, program.buffer(buffer).heads));
  };
  for (const Op& op : program.ops) {
    if (const auto* a = std::get_if<Attend>(&op.action)) boxes(program.tiles_of(*a), a->kv);
    if (const auto* a = std::get_if<AttendBackward>(&op.action)) {
      boxes(program.tiles_of(*a), a->kv);
      boxes(program.tiles_of(*a), a->dkv);
    }
  }
}

}  // namespace

std::int64_t pruning_bytes(const Program& program) {
  constexpr std::size_t kByBuffer = sizeof(Place) + sizeof(BufferId) + 3;
  constexpr std::size_t kByTransfer = sizeof(std::uint32_t) + 1;
  std::size_t bytes = program.ops.size() + program.buffers.size() * kByBuffer + program.transfers.size() * kByTransfer;
  std::set<BufferId> seen;
  for_each_key_boxes(program, [&](BufferId buffer, const std::vector<Region>& boxes) {
    if (seen.insert(buffer).second) bytes += std::bit_ceil(boxes.size()) * sizeof(Region);  // as vectors grow
  });
  return static_cast<std::int64_t>(bytes);
}

double attended_part(const Program& program) {
  std::map<BufferId, Boxes> attended;
  for_each_key_boxes(program, [&](BufferId buffer, const std::vector<Region>& boxes) {
    Boxes& all = attended[buffer];
    for (const Region& box : boxes) all.add(box);
  });
  std::int64_t received = 0, used = 0;
  for (const Op& op : program.ops) {
    const auto* exchange = std::get_if<Exchange>(&op.action);
    if (exchange == nullptr) continue;
    for (const Transfer& t : program.receives(*exchange)) {
      const auto boxes = attended.find(t.region.buffer);
      if (boxes == attended.end()) continue;
      ++received;
      if (boxes->second.touches(t.region)) ++used;
    }
  }
  return received == 0 ? 1 : static_cast<double>(used) / static_cast<double>(received);
}

bool may_be_pruned(const Program& program) {
  const auto in_part = [&](const Transfer& t) { return t.region != program.whole(t.region.buffer); };
  const auto without_tiles = [](const Op& op) {
    if (const auto* a = std::get_if<Attend>(&op.action)) return a->tiles.count == 0;
    if (const auto* a = std::get_if<AttendBackward>(&op.action)) return a->tiles.count == 0;
    return false;
  };
  return std::ranges::any_of(program.transfers, in_part) || std::ranges::any_of(program.ops, without_tiles);
}

}  // namespace cpbench
