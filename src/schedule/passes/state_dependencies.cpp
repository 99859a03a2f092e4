#include <algorithm>
#include <vector>

#include "schedule/passes.hpp"
#include "schedule/passes/happens_before.hpp"

namespace cpbench {
namespace {

bool overlap(const Region& a, const Region& b) {
  return a.head_begin < b.head_begin + b.head_count && b.head_begin < a.head_begin + a.head_count &&
         a.row_begin < b.row_begin + b.row_count && b.row_begin < a.row_begin + a.row_count;
}

bool covers(const Region& outer, const Region& inner) {
  return outer.head_begin <= inner.head_begin && outer.row_begin <= inner.row_begin &&
         outer.head_begin + outer.head_count >= inner.head_begin + inner.head_count &&
         outer.row_begin + outer.row_count >= inner.row_begin + inner.row_count;
}

/// What happened to a buffer so far, as far as later accesses may conflict with it.
class History {
 public:
  /// Adds to `conflicts` every operation that an access must wait for.
  void collect(const Access& access, std::vector<OpId>& conflicts) const {
    for (const Event& w : writes_) {
      if (overlap(w.region, access.region)) conflicts.push_back(w.op);
    }
    if (!access.writes) return;
    for (const Event& r : reads_) {
      if (overlap(r.region, access.region)) conflicts.push_back(r.op);
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
                           last.row_begin + last.row_count == event.region.row_begin;
      if (follows) {
        last.row_count += event.region.row_count;
        return;
      }
    }
    events.push_back(event);
  }

  std::vector<Event> writes_, reads_;
};

/// Drops what the stream's order or another dependency implies.
void reduce(std::vector<OpId>& conflicts, Stream stream, const HappensBefore& before) {
  std::sort(conflicts.begin(), conflicts.end(), std::greater<>());
  std::vector<OpId> kept;
  for (const OpId op : conflicts) {
    const bool implied = before.implied(op, stream) ||
                         std::any_of(kept.begin(), kept.end(), [&](OpId k) { return before.implied(op, k); });
    if (!implied) kept.push_back(op);
  }
  conflicts = std::move(kept);
}

}  // namespace

void state_dependencies(Program& program) {
  program.dependencies.clear();
  std::vector<History> histories(program.buffers.size());
  HappensBefore before(program.ops.size());
  std::vector<OpId> conflicts;
  for (std::size_t id = 0; id < program.ops.size(); ++id) {
    Op& op = program.ops[id];
    const std::vector<Access> accesses = accesses_of(program, op);
    conflicts.clear();
    for (const Access& a : accesses) histories[static_cast<std::size_t>(a.region.buffer)].collect(a, conflicts);
    reduce(conflicts, op.stream, before);
    for (const Access& a : accesses) {
      histories[static_cast<std::size_t>(a.region.buffer)].record(a, static_cast<OpId>(id));
    }
    op.after = {static_cast<std::uint32_t>(program.dependencies.size()), static_cast<std::uint32_t>(conflicts.size())};
    program.dependencies.insert(program.dependencies.end(), conflicts.begin(), conflicts.end());
    before.append(op.stream, conflicts);
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
