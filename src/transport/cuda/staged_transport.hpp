// Messages between the memories of devices over an MPI that knows only the host's: through pinned memory, in chunks.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <tuple>
#include <vector>

#include "backend/cuda/runtime.hpp"
#include "transport/communicator.hpp"
#include "transport/transport.hpp"

namespace cpbench {

/// While one chunk of a message is on its way between the hosts, the next is copied from the device and the one before
/// to the device there. Ranks are those of the communicator, of which it keeps a duplicate (so making one is
/// collective). All messages must be done when it is destroyed.
class StagedTransport : public Transport {
 public:
  /// `chunk_bytes`: of a chunk at most, unless a single head of a row has more; the same on all ranks.
  explicit StagedTransport(const Communicator& communicator, std::int64_t chunk_bytes = std::int64_t{2} << 20);
  ~StagedTransport() override;
  StagedTransport(const StagedTransport&) = delete;
  StagedTransport& operator=(const StagedTransport&) = delete;

  MessageId prepare(const Message& message) override;
  void start(MessageId id) override;
  bool test(MessageId id) override;

 private:
  class Staged;
  /// Messages that share a peer and a tag: their chunks must not mix, for MPI matches them in order.
  using Channel = std::tuple<Message::Direction, int, int>;

  struct Slot;

  void progress();
  /// Pinned memory for a chunk; messages have it while they are under way.
  std::unique_ptr<Slot> take_slot(std::int64_t bytes);

  Communicator communicator_;
  std::int64_t chunk_bytes_;
  cudaStream_t to_host_ = nullptr, to_device_ = nullptr;
  std::vector<std::unique_ptr<Staged>> messages_;
  std::map<Channel, std::deque<Staged*>> channels_;  ///< with chunks that MPI has not been given yet
  std::vector<Staged*> active_;
  std::vector<std::unique_ptr<Slot>> free_slots_;
};

}  // namespace cpbench
