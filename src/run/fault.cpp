#include "run/fault.hpp"

#include <algorithm>
#include <array>

namespace cpbench {
namespace {

OpId size_of(const Program& program) { return static_cast<OpId>(program.ops.size()); }
Op& op_at(Plant& plant, OpId id) { return plant.program.ops[static_cast<std::size_t>(id)]; }

Slice add_tiles(Program& program, const std::vector<Tile>& tiles) {
  const Slice slice{static_cast<std::uint32_t>(program.tiles.size()), static_cast<std::uint32_t>(tiles.size())};
  program.tiles.insert(program.tiles.end(), tiles.begin(), tiles.end());
  return slice;
}

/// Runs operation `id` with another action.
template <typename T>
void replace(Plant& plant, OpId id, const T& action) {
  Op op = op_at(plant, id);
  op.action = action;
  plant.instead[id] = {op};
}

/// Calls visit(id, action) for every operation of kind T, in order.
template <typename T, typename Visit>
void for_each_op(Plant& plant, Visit&& visit) {
  for (OpId id = 0; id < size_of(plant.program); ++id) {
    if (const auto* action = std::get_if<T>(&op_at(plant, id).action)) visit(id, T(*action));
  }
}

/// Changes the band of every tile for which `change` returns true.
template <typename T, typename Change>
void change_bands(Plant& plant, Change&& change) {
  for_each_op<T>(plant, [&](OpId id, T action) {
    const auto view = plant.program.tiles_of(action);
    std::vector<Tile> tiles(view.begin(), view.end());
    bool changed = false;
    for (Tile& tile : tiles) changed |= change(tile);
    if (!changed) return;
    action.tiles = add_tiles(plant.program, tiles);
    replace(plant, id, action);
  });
}

/// The K/V block of the first step, the rank's own, where it stays in its buffer to the end.
std::optional<BufferId> own_block(const Program& program) {
  std::optional<BufferId> block;
  for (const Op& op : program.ops) {
    if (block) {
      for (const Access& access : accesses_of(program, op)) {
        if (access.writes && access.region.buffer == *block) return std::nullopt;
      }
    } else if (const auto* attend = std::get_if<Attend>(&op.action)) {
      block = attend->kv;
    }
  }
  return block;
}

/// Steps of other blocks of the same shape, made to read the rank's own.
template <typename T>
std::map<OpId, T> steps_on_own_block(Plant& plant) {
  std::map<OpId, T> steps;
  const std::optional<BufferId> own = own_block(plant.program);
  if (!own) return steps;
  for_each_op<T>(plant, [&](OpId id, T action) {
    const bool same_shape = plant.program.buffer(action.kv) == plant.program.buffer(*own);
    if (action.tiles.count == 0 || action.kv == *own || !same_shape) return;
    action.kv = *own;
    steps.emplace(id, action);
  });
  return steps;
}

void zero_last_rows(Plant& plant, const Problem&) {
  std::optional<OpId> last;
  for_each_op<Attend>(plant, [&](OpId id, const Attend& attend) {
    const bool has_pairs = !attend.first || attend.tiles.count > 0;
    if (attend.last && has_pairs && plant.program.buffer(attend.out).rows > 0) last = id;
  });
  if (!last) return;
  const Op op = op_at(plant, *last);
  const auto& attend = std::get<Attend>(op.action);
  Buffer zeros = plant.program.buffer(attend.out);
  const std::int64_t rows = zeros.rows;
  zeros.rows = std::min<std::int64_t>(rows, 128);
  zeros.heads = attend.heads.count;
  const auto zeros_id = static_cast<BufferId>(plant.program.buffers.size());
  plant.program.buffers.push_back(zeros);
  Op zeroing = op;
  zeroing.action = Copy{{attend.out, attend.heads.q_begin, zeros.heads, rows - zeros.rows, zeros.rows},
                        plant.program.whole(zeros_id)};
  plant.instead[*last] = {op, zeroing};
}

void wrong_neighbour(Plant& plant, const Problem&) {
  const auto steps = steps_on_own_block<Attend>(plant);
  if (!steps.empty()) replace(plant, steps.rbegin()->first, steps.rbegin()->second);
}

void skipped_step(Plant& plant, const Problem&) {
  std::optional<OpId> last;
  for_each_op<Attend>(plant, [&](OpId id, const Attend& attend) {
    if (attend.tiles.count > 0) last = id;
  });
  if (!last) return;
  auto attend = std::get<Attend>(op_at(plant, *last).action);
  attend.tiles.count = 0;
  replace(plant, *last, attend);
}

/// The last block to be attended of those that arrive over a link for which `counts` is true.
template <typename Counts>
void leave_stale(Plant& plant, Counts&& counts) {
  std::map<BufferId, OpId> received_by;
  for (OpId id = 0; id < size_of(plant.program); ++id) {
    const Action& action = op_at(plant, id).action;
    if (const auto* exchange = std::get_if<Exchange>(&action)) {
      for (const Transfer& transfer : plant.program.receives(*exchange)) {
        received_by.erase(transfer.region.buffer);
        if (counts(transfer.link)) received_by[transfer.region.buffer] = id;
      }
    } else if (const auto* attend = std::get_if<Attend>(&action)) {
      const auto source = received_by.find(attend->kv);
      if (attend->tiles.count > 0 && source != received_by.end()) plant.stale_exchange = source->second;
    }
  }
}

void stale_buffer(Plant& plant, const Problem&) {
  leave_stale(plant, [](Link) { return true; });
}

void stale_outer_block(Plant& plant, const Problem&) {
  leave_stale(plant, [](Link link) { return link == Link::kOuter; });
}

void backward_reuses_first_block(Plant& plant, const Problem&) {
  for (const auto& [id, action] : steps_on_own_block<AttendBackward>(plant)) replace(plant, id, action);
}

void mask_off_by_one(Plant& plant, const Problem&) {
  const auto widen = [](Tile& tile) {
    if (tile.hi >= tile.k_count - 1) return false;
    ++tile.hi;
    return true;
  };
  change_bands<Attend>(plant, widen);
  change_bands<AttendBackward>(plant, widen);
}

void window_ignored(Plant& plant, const Problem&) {
  const auto open = [](Tile& tile) {
    const std::int64_t unbounded = -(tile.q_count - 1);
    if (tile.lo <= unbounded) return false;
    tile.lo = unbounded;
    return true;
  };
  change_bands<Attend>(plant, open);
  change_bands<AttendBackward>(plant, open);
}

void sink_ignored(Plant& plant, const Problem&) {
  for_each_op<Attend>(plant, [&](OpId id, Attend attend) {
    if (!attend.first || attend.sink == kNoBuffer) return;
    attend.sink = kNoBuffer;
    replace(plant, id, attend);
  });
}

/// Query heads read the next K/V head, those of the last one the first: a rotation, in two operations because the map
/// from query to K/V heads is a shift.
void kv_heads_mismatched(Plant& plant, const Problem& problem) {
  const int group = problem.group();
  for_each_op<Attend>(plant, [&](OpId id, Attend attend) {
    const HeadMap map = attend.heads;
    const int first_kv = map.q_global / group, last_kv = (map.q_global + map.count - 1) / group;
    if (first_kv == last_kv || attend.tiles.count == 0) return;
    const int before_last = last_kv * group - map.q_global;
    Op shifted = op_at(plant, id), wrapped = shifted;
    attend.heads = {map.q_begin, before_last, map.q_global, map.kv_global - 1};
    shifted.action = attend;
    attend.heads = {map.q_begin + before_last, map.count - before_last, map.q_global + before_last,
                    map.kv_global + last_kv - first_kv};
    wrapped.action = attend;
    plant.instead[id] = {shifted, wrapped};
  });
}

/// Leaves out the sums of partial gradients for which `counts(role of the sum, link of the part)` is true.
template <typename Counts>
void leave_out_sums(Plant& plant, Counts&& counts) {
  std::map<BufferId, Link> received_over;
  for (OpId id = 0; id < size_of(plant.program); ++id) {
    const Op& op = op_at(plant, id);
    if (const auto* exchange = std::get_if<Exchange>(&op.action)) {
      const Link link = plant.program.farthest_link(*exchange);  // a rank's part of its own travels with the others
      for (const Transfer& transfer : plant.program.receives(*exchange)) received_over[transfer.region.buffer] = link;
    } else if (const auto* add = std::get_if<Add>(&op.action); add != nullptr && op.backward) {
      const auto source = received_over.find(add->from.buffer);
      if (source == received_over.end()) continue;
      if (counts(plant.program.buffer(add->to.buffer).role, source->second)) plant.instead[id] = {};
    }
  }
}

void gradient_unsummed(Plant& plant, const Problem&) {
  leave_out_sums(plant, [](Role sum, Link link) { return sum != Role::kDsink && link != Link::kAllToAll; });
}

void replicas_unsummed(Plant& plant, const Problem&) {
  leave_out_sums(plant, [](Role sum, Link link) { return sum != Role::kDsink && link == Link::kAllToAll; });
}

void sink_gradient_unsummed(Plant& plant, const Problem&) {
  leave_out_sums(plant, [](Role sum, Link) { return sum == Role::kDsink; });
}

struct Entry {
  Fault fault;
  std::string_view name;
  bool everywhere;  ///< on every rank, else on the last one that has a place for it
  void (*plant)(Plant&, const Problem&);
};

/// In the order of Fault.
constexpr std::array<Entry, 13> kEntries = {{
    {Fault::kZeroLastRows, "zero-last-rows", false, zero_last_rows},
    {Fault::kWrongNeighbour, "wrong-neighbour", false, wrong_neighbour},
    {Fault::kSkippedStep, "skipped-step", false, skipped_step},
    {Fault::kStaleBuffer, "stale-buffer", false, stale_buffer},
    {Fault::kStaleOuterBlock, "stale-outer-block", false, stale_outer_block},
    {Fault::kBackwardReusesFirstBlock, "backward-reuses-first-block", true, backward_reuses_first_block},
    {Fault::kMaskOffByOne, "mask-off-by-one", true, mask_off_by_one},
    {Fault::kWindowIgnored, "window-ignored", true, window_ignored},
    {Fault::kSinkIgnored, "sink-ignored", true, sink_ignored},
    {Fault::kKvHeadsMismatched, "kv-heads-mismatched", true, kv_heads_mismatched},
    {Fault::kGradientUnsummed, "gradient-unsummed", true, gradient_unsummed},
    {Fault::kReplicasUnsummed, "replicas-unsummed", true, replicas_unsummed},
    {Fault::kSinkGradientUnsummed, "sink-gradient-unsummed", true, sink_gradient_unsummed},
}};

const Entry& entry_of(Fault fault) { return kEntries[static_cast<std::size_t>(fault)]; }

Plant plant_regardless(Fault fault, const Schedule& schedule, int rank) {
  Plant plant{schedule.programs[static_cast<std::size_t>(rank)], {}, {}};
  entry_of(fault).plant(plant, schedule.of.problem);
  return plant;
}

}  // namespace

std::vector<Fault> all_faults() {
  std::vector<Fault> faults;
  for (const Entry& entry : kEntries) faults.push_back(entry.fault);
  return faults;
}

std::string_view name_of(Fault fault) { return entry_of(fault).name; }

Plant plant(Fault fault, const Schedule& schedule, int rank) {
  const int ranks = static_cast<int>(schedule.programs.size());
  bool elsewhere = false;
  for (int later = rank + 1; later < ranks && !entry_of(fault).everywhere && !elsewhere; ++later) {
    elsewhere = !plant_regardless(fault, schedule, later).empty();
  }
  if (elsewhere) return {schedule.programs[static_cast<std::size_t>(rank)], {}, {}};
  return plant_regardless(fault, schedule, rank);
}

bool applies_to(Fault fault, const Schedule& schedule) {
  for (int rank = 0; rank < static_cast<int>(schedule.programs.size()); ++rank) {
    if (!plant_regardless(fault, schedule, rank).empty()) return true;
  }
  return false;
}

}  // namespace cpbench
