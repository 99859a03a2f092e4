// Messages between GPUs by NCCL: each exchange a group of sends and receives.
#pragma once

#include <nccl.h>

#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "backend/cuda/memory.hpp"
#include "backend/cuda/queues.hpp"
#include "transport/carrier.hpp"
#include "transport/communicator.hpp"
#include "transport/transport.hpp"

namespace cpbench {

LibraryVersions nccl_versions();

struct NcclOptions {
  int ctas = 0;  ///< blocks that NCCL may run at once for a communicator; 0: its own choice
  std::chrono::duration<double> patience = std::chrono::seconds(300);  ///< while it looks for the other ranks
};
/// By Stream; null where there are no exchanges.
using NcclCommunicators = std::array<ncclComm_t, kStreams>;

/// Every stream of exchanges has a communicator of its own, split from one, for what shares a communicator runs one
/// after the other. NCCL takes contiguous memory: what is not is packed on the same stream, into memory of the
/// transport. Ranks are those of the communicator that it is made from; making and destroying one is collective, also
/// where an exception destroys it.
class NcclTransport : public Transport {
 public:
  /// `queues` must outlive it. Throws Error(kDevice) where NCCL does not find all ranks in time; a thread then waits
  /// on, and the process must end.
  NcclTransport(const Communicator& communicator, const CudaQueues& queues, const NcclOptions& options = {});
  ~NcclTransport() override;
  NcclTransport(const NcclTransport&) = delete;
  NcclTransport& operator=(const NcclTransport&) = delete;

  MessageId prepare(const Message& message) override;
  /// Peers that first meet in a message connect there, which not every network can while a graph is recorded; and where
  /// that fails on one rank, its peer waits for it. So they meet here, by a small message in each direction that the
  /// program uses. It takes no memory here, where peers wait for each other already.
  void connect() override;
  bool is_queued() const override { return true; }
  void queue(std::span<const MessageId> messages, Stream stream) override;
  void check_health() override;
  void start(MessageId id) override;
  bool test(MessageId id) override;

 private:
  /// One call of NCCL.
  struct Call {
    Message::Direction direction;
    int peer;
    std::byte* data;
    std::size_t bytes;
  };
  void queue_group(std::span<const Call> calls, Stream stream);
  /// Throws where NCCL says that what a stream holds does not end.
  void wait_for(Stream stream);

  /// A peer, on the communicator of a stream.
  using Contact = std::tuple<Stream, Message::Direction, int>;
  /// Those that are new are to meet.
  void introduce(const Contact& contact);

  /// What NCCL moves: the message's boxes themselves, or a packed copy of them.
  struct Prepared {
    Message message;
    std::byte* data;
    std::size_t bytes;
    std::unique_ptr<CudaMemory> packed;  ///< null where the boxes are contiguous
    std::vector<TensorView> packed_boxes;
  };
  Prepared& at(MessageId id) { return prepared_.at(static_cast<std::size_t>(id)); }

  const CudaQueues& queues_;
  NcclCommunicators communicators_;
  std::vector<Prepared> prepared_;
  /// What peers say when they meet, of the contacts of all messages. Kept, for a message that never ends would keep its
  /// freeing waiting.
  std::map<Contact, std::unique_ptr<CudaMemory>> greetings_;
  std::vector<Contact> strangers_;  ///< those that have not met yet
};

}  // namespace cpbench
