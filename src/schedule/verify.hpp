// Proves programs correct, for all ranks together, without running them.
#pragma once

#include <string>
#include <vector>

#include "schedule/schedule.hpp"

namespace cpbench {

/// What a verified schedule guarantees:
///  - the ranks' tokens partition the sequence;
///  - every send has its receive, of equal shape, and nothing deadlocks;
///  - no buffer is written while it is read or in flight, and none is read before it is written, given only the stated
///    dependencies and the order of each stream;
///  - every allowed (query, key, head) pair enters `out`, `lse` and `dq` of the rank that owns the query, and `dkv` of
///    the rank that owns the key, exactly once, and no other pair ever does; each with the right K/V head;
///  - sinks enter every row once; their gradient reaches rank 0, every rank's part once.
/// Coverage is counted from the data flow of the programs; nothing of the algorithms' own code is used.
struct Verdict {
  bool passed = true;
  /// What is wrong, at most a few: rank, operation and label, buffer, and what was expected.
  std::vector<std::string> faults;
};
Verdict verify(const Schedule& schedule);

/// About how much memory verify takes beside the programs, for one that is like `program`, and for all together.
std::int64_t verification_bytes(const Program& program);
std::int64_t verification_bytes();

}  // namespace cpbench
