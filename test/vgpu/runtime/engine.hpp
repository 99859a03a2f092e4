// Streams, and the order in which queued operations are done.
//
// Nothing happens when an operation is queued, but in the eager order. When the host waits, operations whose
// predecessors are done are done one by one: in the late order only those that the host's wait needs, in random order
// any. Each carries a vector clock, by streams, of what streams, events, graphs and the host order before it: from that
// the shadow of global memory sees a missing event whatever the order.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "runtime/operation.hpp"
#include "vgpu/runtime.hpp"

namespace cpbench::vgpu {

class Capture;

struct Stream {
  std::uint32_t id = 0;
  bool blocking = true;  ///< keeps order with the default stream
  int priority = 0;
  std::deque<OperationPtr> queue;  ///< not done
  OperationPtr last;               ///< queued
  std::vector<Clock> clock;        ///< of what is done
  Clock queued = 0;                ///< operations so far
  std::shared_ptr<Capture> capture;
};

class Engine {
 public:
  Engine();

  /// The stream of a handle; null is the default stream. A fault where it was destroyed.
  Stream& find(cudaStream_t handle);
  cudaStream_t create_stream(bool blocking, int priority);
  void destroy_stream(cudaStream_t handle);

  /// Queues an action behind what the stream holds and behind `after`. While the stream captures, the graph gets it,
  /// and there is no operation yet.
  OperationPtr enqueue(Stream& stream, std::shared_ptr<Action> action, std::vector<OperationPtr> after = {});

  /// Waits until an operation, or all of a stream or of everything, is done; the host knows of it then.
  void finish(const OperationPtr& operation);
  void finish(Stream& stream);
  void finish_all();
  /// The host looks whether something is done: some operations may be.
  void progress();
  /// For calls that CUDA forbids while the thread captures a stream: a graph would not have what they do.
  void refuse_in_capture(const char* call) const;

 private:
  bool can_begin(const QueuedOperation& operation) const;
  void begin(QueuedOperation& operation);
  void complete(QueuedOperation& operation);
  /// Does what can be done of these operations; false where that is nothing.
  bool step(const std::vector<OperationPtr>& candidates);
  std::vector<OperationPtr> heads() const;
  std::vector<OperationPtr> needed_for(const OperationPtr& operation) const;
  void run_until_done(const OperationPtr& operation);
  /// After a fault: what is queued is forgotten, but for what other processes wait for.
  void abandon();
  std::string describe() const;

  std::vector<std::unique_ptr<Stream>> streams_;  ///< by id; never freed, so that clocks keep their meaning
  std::vector<Clock> host_clock_;
};

Engine& engine();

}  // namespace cpbench::vgpu
