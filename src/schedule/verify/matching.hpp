// Runs all ranks' programs in a legal order, as far as they go: sends meet receives, and nothing may be left waiting.
#pragma once

#include "schedule/schedule.hpp"
#include "schedule/verify/faults.hpp"

namespace cpbench::verification {

/// One side of a transfer.
struct Endpoint {
  int rank;
  OpId op;
  Region region;
};

/// Is told what happens, in an order that the dependencies allow.
class Observer {
 public:
  virtual ~Observer() = default;
  /// Any operation but an exchange.
  virtual void on_compute(int rank, OpId op) = 0;
  /// Data moves. Of an exchange's transfers each is reported when both sides have started.
  virtual void on_transfer(const Endpoint& from, const Endpoint& to) = 0;
};

/// An exchange starts when its dependencies and its stream's previous operation are done, and is done when all its
/// transfers are; a transfer needs both sides started (so nothing relies on buffering). Reports sends and receives
/// without partner or of another shape, and operations that never start.
void match_exchanges(const Schedule& schedule, Observer& observer, Faults& faults);

}  // namespace cpbench::verification
