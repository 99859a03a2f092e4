#include <algorithm>
#include <array>
#include <functional>
#include <vector>

#include "schedule/passes.hpp"
#include "schedule/passes/happens_before.hpp"

namespace cpbench {
namespace {

/// What happened to a buffer so far, as far as later accesses may conflict with it.
class History {
 public:
  /// Calls `conflict` with every operation that an access must wait for.
  template <typename Conflict>
  void for_each_conflict(const Access& access, Conflict&& conflict) const {
    for (const Event& w : writes_) {
      if (overlap(w.region, access.region)) conflict(w.op);
    }
    if (!access.writes) return;
    for (const Event& r : reads_) {
      if (overlap(r.region, access.region)) conflict(r.op);
    }
  }
  void record(const Access& access, OpId op) {
    if (!access.writes) {
      add(reads_, {access.region, op});
      return;
    }
    // Whoever conflicts with what is overwritten conflicts with this write, which comes after it.
    std::erase_if(writes_, [&](const Event& e) { return covers(access.region, e.region); });
    std::erase_if(reads_, [&](const Event& e) { return covers(access.region, e.region); });
    add(writes_, {access.region, op});
  }

 private:
  struct Event {
    Region region;
    OpId op;
  };

  /// An exchange with many ranks touches a buffer piece after piece: one event is enough for rows that follow each
  /// other.
  static void add(std::vector<Event>& events, const Event& event) {
    if (!events.empty() && events.back().op == event.op) {
      Region& last = events.back().region;
      if (covers(last, event.region)) return;
      const bool follows = last.head_begin == event.region.head_begin && last.head_count == event.region.head_count &&
                           last.row_end() == event.region.row_begin;
      if (follows) {
        last.row_count += event.region.row_count;
        return;
      }
    }
    events.push_back(event);
  }

  std::vector<Event> writes_, reads_;
};

/// The operations that one must wait for: of each stream the last one, as streams run in order. An exchange with many
/// ranks may have to wait for thousands.
class Conflicts {
 public:
  Conflicts() { last_.fill(-1); }
  void add(OpId op, Stream stream) {
    OpId& last = last_[static_cast<std::size_t>(stream)];
    last = std::max(last, op);
  }
  /// Without what the order of `stream`, where the operation runs, or another dependency implies.
  std::vector<OpId> reduced(Stream stream, const HappensBefore& before) {
    std::ranges::sort(last_, std::greater<>());
    std::vector<OpId> kept;
    for (const OpId op : last_) {
      if (op < 0) break;
      const bool implied =
          before.implied(op, stream) || std::ranges::any_of(kept, [&](OpId k) { return before.implied(op, k); });
      if (!implied) kept.push_back(op);
    }
    return kept;
  }

 private:
  std::array<OpId, kStreams> last_;  ///< by stream, -1 for none
};

}  // namespace

void state_dependencies(Program& program) {
  program.dependencies.clear();
  std::vector<History> histories(program.buffers.size());
  HappensBefore before(program.ops.size());
  for (std::size_t id = 0; id < program.ops.size(); ++id) {
    Op& op = program.ops[id];
    const std::vector<Access> accesses = accesses_of(program, op);
    Conflicts conflicts;
    for (const Access& a : accesses) {
      histories[static_cast<std::size_t>(a.region.buffer)].for_each_conflict(
          a, [&](OpId conflict) { conflicts.add(conflict, before.stream_of(conflict)); });
    }
    const std::vector<OpId> after = conflicts.reduced(op.stream, before);
    for (const Access& a : accesses) {
      histories[static_cast<std::size_t>(a.region.buffer)].record(a, static_cast<OpId>(id));
    }
    op.after = {static_cast<std::uint32_t>(program.dependencies.size()), static_cast<std::uint32_t>(after.size())};
    program.dependencies.insert(program.dependencies.end(), after.begin(), after.end());
    before.append(op.stream, after);
  }
}

void serialize(Program& program) {
  program.dependencies.clear();
  for (std::size_t id = 0; id < program.ops.size(); ++id) {
    Slice& after = program.ops[id].after;
    after = {static_cast<std::uint32_t>(program.dependencies.size()), 0};
    if (id == 0 || program.ops[id].stream == program.ops[id - 1].stream) continue;
    program.dependencies.push_back(static_cast<OpId>(id) - 1);
    after.count = 1;
  }
}

}  // namespace cpbench
