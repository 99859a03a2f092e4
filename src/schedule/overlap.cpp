#include "schedule/overlap.hpp"

#include <algorithm>
#include <set>
#include <vector>

#include "schedule/passes/happens_before.hpp"

namespace cpbench {

int streams_beside_an_attend(const Program& program, const std::function<bool(const Exchange& exchange)>& counts) {
  HappensBefore before(program.ops.size());
  std::vector<OpId> attends, exchanges;
  for (OpId id = 0; id < static_cast<OpId>(program.ops.size()); ++id) {
    const Op& op = program.ops[static_cast<std::size_t>(id)];
    before.append(op.stream, program.after(op));
    if (std::holds_alternative<Attend>(op.action)) attends.push_back(id);
    const auto* exchange = std::get_if<Exchange>(&op.action);
    if (exchange != nullptr && counts(*exchange)) exchanges.push_back(id);
  }
  std::size_t most = 0;
  for (const OpId attend : attends) {
    std::set<Stream> streams;
    for (const OpId exchange : exchanges) {
      if (!before(std::min(attend, exchange), std::max(attend, exchange))) streams.insert(before.stream_of(exchange));
    }
    most = std::max(most, streams.size());
  }
  return static_cast<int>(most);
}

}  // namespace cpbench
