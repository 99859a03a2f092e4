#include "schedule/list_interner.hpp"
#include "schedule/passes.hpp"

namespace cpbench {

void intern_transfers(Program& program) {
  ListInterner<Transfer> interner;
  PagedVector<Transfer> interned;
  for (Op& op : program.ops) {
    auto* exchange = std::get_if<Exchange>(&op.action);
    if (exchange == nullptr) continue;
    exchange->sends = interner.add(interned, program.sends(*exchange));
    exchange->receives = interner.add(interned, program.receives(*exchange));
  }
  program.transfers = std::move(interned);
}

}  // namespace cpbench
