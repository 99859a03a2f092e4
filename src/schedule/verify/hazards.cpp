#include "schedule/verify/hazards.hpp"

#include <algorithm>
#include <array>

#include "schedule/region_map.hpp"

namespace cpbench::verification {
namespace {

std::size_t index_of(Stream stream) { return static_cast<std::size_t>(stream); }

/// Vector clocks: by stream, the last operation that is done before an operation starts. As streams run in order, one
/// entry per stream says all.
class HappensBefore {
 public:
  explicit HappensBefore(const Program& program) : program_(program), clocks_(program.ops.size()) {
    Clock last;
    last.fill(-1);
    for (std::size_t id = 0; id < program.ops.size(); ++id) {
      const Op& op = program.ops[id];
      Clock& clock = clocks_[id];
      clock.fill(-1);
      if (const OpId before = last[index_of(op.stream)]; before >= 0) include(clock, before);
      for (const OpId before : program.after(op)) include(clock, before);
      last[index_of(op.stream)] = static_cast<OpId>(id);
    }
  }

  bool ordered(OpId first, OpId second) const {
    return clocks_[static_cast<std::size_t>(second)][stream_of(first)] >= first;
  }

 private:
  using Clock = std::array<OpId, kStreams>;

  std::size_t stream_of(OpId id) const { return index_of(program_.ops[static_cast<std::size_t>(id)].stream); }
  void include(Clock& clock, OpId before) const {
    const Clock& theirs = clocks_[static_cast<std::size_t>(before)];
    for (std::size_t s = 0; s < clock.size(); ++s) clock[s] = std::max(clock[s], theirs[s]);
    clock[stream_of(before)] = std::max(clock[stream_of(before)], before);
  }

  const Program& program_;
  std::vector<Clock> clocks_;
};

/// What happened to a box so far. A write is ordered after all before it, so it stands for them; of the reads since,
/// the last one of each stream stands for those before it.
struct History {
  OpId writer = -1;  ///< -1: nobody, what the box held at the start
  std::array<OpId, kStreams> readers{-1, -1, -1, -1};
  bool kept = false;  ///< a backward operation read what the forward pass left here
  bool operator==(const History&) const = default;
};

class HazardCheck {
 public:
  HazardCheck(Pass pass, const Program& program, int rank, Faults& faults)
      : pass_(pass), program_(program), rank_(rank), faults_(faults), order_(program), inputs_(program.owned.inputs()) {
    histories_.reserve(program.buffers.size());
    for (const Buffer& b : program.buffers) histories_.emplace_back(b, History{});
  }

  void check(OpId id) {
    for (const Access& access : accesses_of(program_, op(id))) {
      RegionMap<History>& map = histories_[static_cast<std::size_t>(access.region.buffer)];
      if (access.reads) read(id, access.region, map);
      if (access.writes) write(id, access.region, map);
      if (!access.writes) {
        map.update(access.region, [&](History& h) { h.readers[index_of(op(id).stream)] = id; });
      }
    }
  }

 private:
  const Op& op(OpId id) const { return program_.ops[static_cast<std::size_t>(id)]; }

  void read(OpId id, const Region& region, RegionMap<History>& map) {
    map.visit(region, [&](const auto& cell) { expect_order(cell.value.writer, "writes", id, "reads", region); });
    if (pass_ != Pass::kBackward || !op(id).backward) return;
    map.update(region, [&](History& h) { h.kept = h.kept || h.writer < 0 || !op(h.writer).backward; });
  }

  void write(OpId id, const Region& region, RegionMap<History>& map) {
    if (std::ranges::find(inputs_, region.buffer) != inputs_.end()) {
      faults_.add("{} writes {}, an input of the rank", describe(rank_, program_, id), describe(program_, region));
    }
    map.visit(region, [&](const auto& cell) {
      expect_order(cell.value.writer, "writes", id, "writes", region);
      for (const OpId reader : cell.value.readers) expect_order(reader, "reads", id, "writes", region);
      if (cell.value.kept && op(id).backward) {
        faults_.add("{} writes {}, which the backward pass reads as the forward pass left it: it could not run again",
                    describe(rank_, program_, id), describe(program_, region));
      }
    });
    map.assign(region, {.writer = id});
  }

  void expect_order(OpId first, const char* does_first, OpId second, const char* does_second, const Region& region) {
    if (first < 0 || faults_.full() || (first != second && order_.ordered(first, second))) return;
    if (first == second) {
      faults_.add("{} both {} and {} {}", describe(rank_, program_, second), does_first, does_second,
                  describe(program_, region));
      return;
    }
    faults_.add("{} {} {} that op {} ({}) {}, and no dependency orders them", describe(rank_, program_, second),
                does_second, describe(program_, region), first, to_string(op(first).label), does_first);
  }

  const Pass pass_;
  const Program& program_;
  const int rank_;
  Faults& faults_;
  const HappensBefore order_;
  const std::vector<BufferId> inputs_;
  std::vector<RegionMap<History>> histories_;
};

void check_passes(Pass pass, const Program& program, int rank, Faults& faults) {
  bool backward = false;
  for (OpId id = 0; id < static_cast<OpId>(program.ops.size()); ++id) {
    const Op& op = program.ops[static_cast<std::size_t>(id)];
    if (op.backward && pass == Pass::kForward) {
      faults.add("{} is of the backward pass, which the case does not have", describe(rank, program, id));
    }
    if (backward && !op.backward && pass == Pass::kBackward) {
      faults.add("{} is of the forward pass but follows the backward pass", describe(rank, program, id));
    }
    backward = backward || op.backward;
  }
}

}  // namespace

void check_hazards(Pass pass, const Program& program, int rank, Faults& faults) {
  check_passes(pass, program, rank, faults);
  HazardCheck check(pass, program, rank, faults);
  for (OpId id = 0; id < static_cast<OpId>(program.ops.size()) && !faults.full(); ++id) check.check(id);
}

}  // namespace cpbench::verification
