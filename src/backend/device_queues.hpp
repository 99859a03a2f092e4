// What a device does by itself: work that is queued now and runs later, in order within a queue.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "schedule/program.hpp"

namespace cpbench {

/// When an operation on a device begins and ends. Made once, used again and again.
class DeviceMark {
 public:
  struct Interval {
    std::int64_t begin_ns, end_ns;  ///< of the host's steady clock, as far as the device's can be aligned with it
  };
  virtual ~DeviceMark() = default;
  /// What is queued on the stream between the two is the operation.
  virtual void begin(Stream stream) = 0;
  virtual void end(Stream stream) = 0;
  /// What is queued on the stream next begins after the end of the operation.
  virtual void make_wait(Stream stream) = 0;
  /// Whether the operation, queued last, is done. The host may then touch what it touched.
  virtual bool is_done() = 0;
  /// Once it is done.
  virtual Interval interval() const = 0;
};

/// Queued work that can be queued again as one.
class DeviceGraph {
 public:
  virtual ~DeviceGraph() = default;
  virtual void launch() = 0;
  virtual bool is_done() = 0;
};

/// Parts of one operation side by side. Made once, used again and again.
class DeviceBranches {
 public:
  virtual ~DeviceBranches() = default;
  /// What each of `parts` queues on the stream, one that communicates, begins after all that the stream holds, and
  /// waits for no other part; what is queued on the stream next begins after the end of all of them. The last part is
  /// the stream's own, the others have queues beside it.
  virtual void queue(Stream stream, std::span<const std::function<void()>> parts) = 0;
};

/// The queues of a device, one for each stream of a program.
class DeviceQueues {
 public:
  virtual ~DeviceQueues() = default;
  /// `label`: what a profiler calls the operation.
  virtual std::unique_ptr<DeviceMark> make_mark(const std::string& label) = 0;
  /// For so many parts at most.
  virtual std::unique_ptr<DeviceBranches> make_branches(std::size_t parts) = 0;
  /// What `issue` queues, without running it; null where graphs are not wanted, or cannot be made.
  virtual std::unique_ptr<DeviceGraph> record(const std::function<void()>& issue) = 0;
  /// Why one could not be made, since when none is; empty where that has not happened.
  virtual std::string graph_obstacle() const { return ""; }
  /// From now on record() makes none.
  virtual void forgo_graphs() {}
};

}  // namespace cpbench
