// Runs the program of one rank: compute on a backend, exchanges on a transport, both as early as dependencies allow.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "run/buffer_set.hpp"
#include "run/interpretation.hpp"
#include "run/span.hpp"
#include "transport/transport.hpp"

namespace cpbench {

/// One thread runs everything. What completes an operation depends on who does it:
///
/// - An operation of the host (compute without a device, messages that the host drives) is done when its call returns
///   or its messages test as done, and begins only when all that it waits for is done. Exchanges are started as soon as
///   they are ready, also in the midst of compute: kernels call back at least about every millisecond, and then the
///   messages in flight are tested (which lets MPI move data). Nothing else, no thread of its own, drives them; a
///   kernel that never polls hides no communication.
/// - An operation of a device (compute, messages that the device drives) is queued as soon as all that it waits for is
///   done or queued on the device too: its queue then waits for exactly those that the program names and that the order
///   of the queue does not imply. Operations are queued in program order.
///
/// A pass that the device does alone is recorded as a graph before its first run, and runs launch that.
///
/// A message's tag is the ordinal of its exchange, and the transfers of an exchange are started in their order,
/// receives first, so that the k-th send to a peer meets the k-th receive there.
class Executor {
 public:
  /// Everything given must outlive the executor. Operations and messages are prepared here, once for all runs.
  Executor(const BufferSet& buffers, const Program& program, Backend& backend, Transport& transport);
  /// As above, with operations interpreted by `interpretation`.
  Executor(const BufferSet& buffers, const Program& program, Backend& backend, Transport& transport,
           const Interpretation& interpretation);
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  /// What a pass needs once and need not be timed: peers are connected and a graph is recorded. Collective. `start`
  /// does it where it has not been done.
  void make_ready(Pass pass);
  /// Of parts that were recorded: from now on they are queued operation by operation.
  void forget_graphs() { graphs_ = {}; }

  /// Runs a pass to its end. While there is nothing to do the core is left to others.
  void run(Pass pass);

  /// The same in steps, for many ranks in one thread: `start` once, then `advance` until it returns true. It does what
  /// it can without waiting, at most one compute operation.
  void start(Pass pass);
  bool advance();

  /// What has run since `start`, in order of completion; one span per operation of the pass when it is finished.
  std::vector<Span> spans() const;
  /// How many operations are done since `start`.
  std::size_t done_count() const { return finished_.size(); }
  const ProgramMemory& memory() const { return memory_; }

  /// The longest that the host computed an attend while a kernel that polled in none of them, forward or backward, let
  /// no message progress; 0 where there are no messages, or a kernel polls. Of all runs.
  std::int64_t longest_unpolled_ns() const;

 private:
  /// Done, or queued on the device, which will do it.
  enum class State : std::uint8_t { kWaiting, kQueued, kDone };

  /// The operations of a stream and how far it has come.
  struct Queue {
    std::vector<OpId> ops;
    std::size_t next = 0;     ///< the first that has been neither queued nor done
    std::size_t retired = 0;  ///< all before are done
    bool in_flight = false;   ///< ops[next] is an exchange of the host that has been started
    std::uint32_t messages_done = 0;
    std::int64_t begin_ns = 0;
  };

  /// How a kernel keeps what it must do for messages, forward or backward.
  struct Polling {
    std::size_t polls = 0;
    std::int64_t longest_unpolled_ns = 0;
  };

  void prepare(OpId id);
  /// Of an exchange.
  void add_messages(const Exchange& exchange, Stream stream, const TransferList& transfers,
                    Message::Direction direction, const ProgramMemory& memory);

  const Op& op(OpId id) const { return program_.ops[static_cast<std::size_t>(id)]; }
  State& state(OpId id) { return states_[static_cast<std::size_t>(id)]; }
  State state(OpId id) const { return states_[static_cast<std::size_t>(id)]; }
  DeviceMark& mark(OpId id) const { return *marks_[static_cast<std::size_t>(id)]; }
  bool is_of_device(OpId id) const { return marks_[static_cast<std::size_t>(id)] != nullptr; }
  std::span<const Transport::MessageId> messages_of(OpId id) const;

  bool is_ready(OpId id) const;
  void skip_done(Queue& queue) const;

  /// Lets all exchanges of the host come as far as they can, and finds out what the device has done. Also called from
  /// inside kernels.
  void progress();
  bool progress_exchange(Queue& queue);
  bool retire_queued(Queue& queue);
  /// The queue whose head is the first operation of the program that can begin now; exchanges of the host begin by
  /// themselves.
  Queue* first_ready();
  void run_on_host(Queue& queue);
  /// Or queues it, on a device.
  void compute(OpId id);
  void queue_on_device(Queue& queue);
  void note_polls(const Op& attend, std::size_t polls, std::int64_t taken_ns);
  void finish(OpId id, std::int64_t begin_ns, std::int64_t end_ns);
  [[noreturn]] void report_standstill() const;

  /// Nothing of the pass has been done, and the rest is.
  void begin(Pass pass);
  bool can_be_recorded(Pass pass) const;
  bool finish_graph();

  const Program& program_;
  ProgramMemory memory_;
  Backend& backend_;
  Transport& transport_;
  const Interpretation& interpretation_;
  Poll poll_;

  std::vector<Slice> parts_of_;  ///< by OpId: its part of messages_ or of computations_
  std::vector<Transport::MessageId> messages_;
  std::vector<Computation> computations_;
  std::vector<std::unique_ptr<DeviceMark>> marks_;  ///< by OpId; null for an operation of the host
  std::array<std::unique_ptr<DeviceGraph>, kPasses> graphs_;
  DeviceGraph* launched_ = nullptr;  ///< the graph that runs
  bool connected_ = false;

  std::array<Queue, kStreams> queues_;
  std::vector<State> states_;       ///< by OpId
  std::size_t polls_ = 0;           ///< ever
  std::array<Polling, 2> polling_;  ///< in attends, forward and backward
  std::size_t remaining_ = 0;
  std::size_t steps_ = 0;       ///< of progress, ever
  std::vector<Span> finished_;  ///< without the times of what the device did
};

}  // namespace cpbench
