// How far the programs of all ranks have come that run together: what may begin, and which messages meet.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "schedule/peer_list.hpp"
#include "schedule/schedule.hpp"

namespace cpbench {

/// A stream of a rank: the operations before `head` are done. An exchange runs from when it begins until it is passed.
struct StreamProgress {
  int rank = 0;
  std::uint8_t index = 0;
  OpId head = 0;
  const Exchange* running = nullptr;  ///< the head; null where that is none, or has not begun
  std::size_t pending = 0;            ///< its messages that have not met
  PeerList sends, receives;           ///< of the exchange that runs
};

/// An operation may begin when those that it waits for and the one before it in its stream are done. A message meets
/// its other side when the exchanges of both have begun. When anything begins or is done the derived class says.
class JointProgress {
 public:
  /// `schedule` must outlive it. What a run of `pass` does not take counts as done.
  JointProgress(const Schedule& schedule, Pass pass);
  virtual ~JointProgress() = default;

 protected:
  using Streams = std::array<StreamProgress, kStreams>;

  int count() const { return static_cast<int>(ranks_.size()); }
  const Program& program(int rank) const { return schedule_.programs[static_cast<std::size_t>(rank)]; }
  Streams& streams(int rank) { return ranks_[static_cast<std::size_t>(rank)].streams; }
  const Streams& streams(int rank) const { return ranks_[static_cast<std::size_t>(rank)].streams; }
  bool is_at_end(const StreamProgress& s) const { return s.head == static_cast<OpId>(program(s.rank).ops.size()); }
  const Op& head_of(const StreamProgress& s) const { return program(s.rank).ops[static_cast<std::size_t>(s.head)]; }
  /// The stream of the rank whose exchange of this ordinal runs, or null.
  StreamProgress* running(int rank, std::int32_t ordinal);

  /// Whether the stream has a head that may begin. An exchange that runs may not begin again.
  bool is_ready(const StreamProgress& stream) const;
  /// Begins an exchange, the stream's head. Messages whose other side has begun meet; the others do when that begins.
  void begin(StreamProgress& stream, const Exchange& exchange);
  /// The stream's head is done.
  void pass(StreamProgress& stream);

  /// `send` and `receive` are indices into the lists of the two exchanges that run.
  virtual void meet(const StreamProgress& sender, std::size_t send, const StreamProgress& receiver,
                    std::size_t receive) = 0;
  /// No message of the exchange that runs is pending any more.
  virtual void all_met(const StreamProgress& stream) = 0;

  const Schedule& schedule_;

 private:
  struct Rank {
    Streams streams;
    std::vector<std::uint8_t> stream_of;  ///< by operation, packed: it is asked for all the time
  };

  void join(StreamProgress& sender, std::size_t send, StreamProgress& receiver, std::size_t receive);
  OpId next_of(const StreamProgress& stream, OpId from) const;

  std::vector<Rank> ranks_;
};

}  // namespace cpbench
