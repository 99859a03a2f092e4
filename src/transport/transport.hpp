// How bytes move between ranks.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "backend/tensor_view.hpp"

namespace cpbench {

/// One message: up to two boxes of tensors (K and V of a block), to or from one peer. Views stay valid as long as the
/// transport that it was prepared on.
struct Message {
  enum class Direction : std::uint8_t { kSend, kReceive };
  Direction direction;
  int peer;
  int tag;  ///< messages of one pair of ranks and one tag are matched in the order in which they are started
  Link link;
  Stream stream;  ///< of its exchange, the same at both ends
  std::vector<TensorView> boxes;

  std::int64_t bytes() const;
};

/// Non-blocking messages that can be started again and again: by the host (`start`, `test`), or by the queues of the
/// device in whose memory they lie (`queue`).
class Transport {
 public:
  using MessageId = int;
  virtual ~Transport() = default;
  /// Declares a message, once.
  virtual MessageId prepare(const Message& message) = 0;
  /// Ends what peers agree on for the messages declared so far. Called by all ranks before the first of them moves, and
  /// while nothing is recorded.
  virtual void connect() {}

  /// The host's part must begin after all that a message reads or overwrites is done.
  virtual void start(MessageId id) = 0;
  /// True once a started message is done: its buffer may be read (receive) or written (send). Also makes progress.
  virtual bool test(MessageId id) = 0;

  /// Whether messages are the device's business. Then an exchange is queued as one, receives first, and is done where
  /// the queue is; `start` and `test` are not called.
  virtual bool is_queued() const { return false; }
  virtual void queue(std::span<const MessageId> messages, Stream stream);
  /// Throws where messages that are queued have failed, so that nobody waits for them forever.
  virtual void check_health() {}
};

}  // namespace cpbench
