// Timelines of all ranks as Chrome trace events, which Perfetto (ui.perfetto.dev) and chrome://tracing open.
//
// A rank is a process and a stream of its program a thread, so that a hop in flight lies above the attention that hides
// it. Times are aligned to rank 0's clock. A rank that is early waits for its peers: only from then on is a link busy,
// so what an exchange waits is a bar of its own, of the category `wait`.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "run/clock_sync.hpp"
#include "run/span.hpp"
#include "schedule/program.hpp"

namespace cpbench {

/// Whose spans they are, and how its clock stands to rank 0's.
struct TraceSource {
  int rank = 0;
  std::string host;
  ClockOffset clock;
};

/// What a rank did, as text to be gathered to rank 0: JSON, times still on the rank's own clock. `batch` is the
/// problem's, for the bytes of messages.
std::string serialize_events(const TraceSource& source, const Program& program, std::int64_t batch,
                             std::span<const Span> spans);

/// Writes the trace file of all ranks, from what serialize_events gave on each, atomically (file.hpp), over whatever
/// file is there. `title` says what was run and is kept with the clocks in `otherData`. pid is rank + 1, as pid 0 is
/// special to Perfetto.
void write_trace(const std::string& path, const std::vector<std::string>& ranks, const std::string& title);

}  // namespace cpbench
