// What streams hold: operations that have been queued and are done when somebody needs them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "emulator/global_shadow.hpp"

namespace cpbench::vgpu {

/// What an operation does. A captured one is done once per launch of its graph.
class Action {
 public:
  virtual ~Action() = default;
  /// Whether it can be done now, all that it comes after being done.
  virtual bool ready() { return true; }
  /// Begins it; its accesses to memory are those of `operation`.
  virtual void begin(const Operation& operation) = 0;
  /// Whether it is over; asked again and again after begin.
  virtual bool done() { return true; }
  /// What else is known to be done when it is over: what came before who wrote the flag that it waited for.
  virtual std::vector<Clock> learned() { return {}; }
  /// Whether other processes wait for it: it is done even after a fault.
  virtual bool involves_others() const { return false; }
  virtual std::string describe() const = 0;
};

struct Stream;

struct QueuedOperation {
  enum class State : std::uint8_t { kWaiting, kRunning, kDone };

  std::shared_ptr<Action> action;
  Stream* stream;
  std::vector<std::shared_ptr<QueuedOperation>> after;  ///< beside those before it on its stream
  std::vector<Clock> clock;                             ///< what is known to be done before it
  Clock sequence;                                       ///< its number on its stream, from 1
  State state = State::kWaiting;
};
using OperationPtr = std::shared_ptr<QueuedOperation>;

/// clock = max(clock, other), entry by entry.
void join(std::vector<Clock>& clock, const std::vector<Clock>& other);

}  // namespace cpbench::vgpu
