// Runs the program of one rank: compute on a backend, exchanges on a transport, both as early as dependencies allow.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "run/buffer_set.hpp"
#include "run/interpretation.hpp"
#include "run/span.hpp"
#include "transport/transport.hpp"

namespace cpbench {

/// Which operations a run takes: dependencies on others count as done. The backward pass alone needs what an earlier
/// forward pass left in the buffers.
enum class Part : std::uint8_t { kAll, kForward, kBackward };

/// One thread runs everything: compute operations in program order, each as soon as it is ready, and exchanges in the
/// meantime. Communication therefore progresses inside compute: kernels call back about every millisecond, and then the
/// messages in flight are tested (which lets MPI move data) and exchanges that became ready are started. Nothing else,
/// no thread of its own, drives it; a kernel that never polls hides no communication.
///
/// A message's tag is the ordinal of its exchange, and the transfers of an exchange are started in their order,
/// receives first, so that the k-th send to a peer meets the k-th receive there.
class Executor {
 public:
  /// Everything given must outlive the executor. Messages are prepared here, once for all runs.
  Executor(const BufferSet& buffers, const Program& program, Backend& backend, Transport& transport);
  /// As above, with operations interpreted by `interpretation`.
  Executor(const BufferSet& buffers, const Program& program, Backend& backend, Transport& transport,
           const Interpretation& interpretation);
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  /// Runs a part to its end. While there is nothing to do the core is left to others.
  void run(Part part);

  /// The same in steps, for many ranks in one thread: `start` once, then `advance` until it returns true. It does what
  /// it can without waiting, at most one compute operation.
  void start(Part part);
  bool advance();

  /// What has run since `start`, in order of completion; one span per operation of the part when it is finished.
  const std::vector<Span>& spans() const { return spans_; }
  const ProgramMemory& memory() const { return memory_; }

 private:
  /// The operations of a stream and how far it has come.
  struct Queue {
    std::vector<OpId> ops;
    std::size_t next = 0;
    bool in_flight = false;  ///< ops[next] is an exchange that has been started
    std::uint32_t messages_done = 0;
    std::int64_t begin_ns = 0;
  };

  void prepare_messages(OpId id, const Exchange& exchange);
  void add_messages(const Exchange& exchange, std::span<const Transfer> transfers, Message::Direction direction,
                    const ProgramMemory& memory);

  const Op& op(OpId id) const { return program_.ops[static_cast<std::size_t>(id)]; }
  bool is_done(OpId id) const { return done_[static_cast<std::size_t>(id)] != 0; }
  bool is_ready(OpId id) const;
  void skip_done(Queue& queue) const;

  /// Lets all exchanges come as far as they can. Also called from inside kernels.
  void progress_exchanges();
  bool progress_exchange(Queue& queue);
  bool run_next_compute();
  void finish(Queue& queue, std::int64_t begin_ns);
  [[noreturn]] void report_standstill() const;

  const Program& program_;
  ProgramMemory memory_;
  Backend& backend_;
  Transport& transport_;
  const Interpretation& interpretation_;
  std::function<void()> poll_;

  std::vector<Slice> messages_of_;  ///< by OpId: its part of messages_
  std::vector<Transport::MessageId> messages_;
  std::array<Queue, kStreams> queues_;
  std::vector<std::uint8_t> done_;  ///< by OpId
  std::size_t remaining_ = 0;
  std::vector<Span> spans_;
};

}  // namespace cpbench
