// Messages between GPUs of a node by copies of the driver's: no kernel of ours, no host. Between two GPUs copy engines
// are expected to make them; within one (shared by ranks, or of one that sends to itself) the driver may take a kernel.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <vector>

#include "backend/cuda/queues.hpp"
#include "transport/communicator.hpp"
#include "transport/cuda/device_handles.hpp"
#include "transport/cuda/flags.hpp"
#include "transport/transport.hpp"

namespace cpbench {

/// The sender's stream copies into the receiver's memory, once the receiver's stream has raised a flag in the sender's
/// memory (the buffer may be written), and then raises one in the receiver's (it has been). Whoever waits for a flag
/// takes it down, so the same queue, or a graph of it, serves again and again.
///
/// What an exchange sends to different ranks goes in lanes side by side: where GPUs are joined by direct links, each to
/// each, a copy takes the links to one of them alone. What goes to one rank alone stays on the exchange's stream.
///
/// Ranks are those of the communicator, of which it keeps a duplicate; peers are of one node. Making and destroying one
/// is collective, also where an exception destroys it: nobody's memory is freed while another process has it open. What
/// one rank alone finds wrong must therefore not destroy it, but end the processes.
class IpcTransport : public Transport {
 public:
  /// As many as the other GPUs of a board whose links are direct; beyond, switches join them.
  static constexpr std::size_t kLanes = 3;

  /// `queues` must outlive it.
  IpcTransport(const Communicator& communicator, CudaQueues& queues);
  ~IpcTransport() override;
  IpcTransport(const IpcTransport&) = delete;
  IpcTransport& operator=(const IpcTransport&) = delete;

  MessageId prepare(const Message& message) override;
  void connect() override;
  bool is_queued() const override { return true; }
  void queue(std::span<const MessageId> messages, Stream stream) override;
  void start(MessageId id) override;
  bool test(MessageId id) override;

 private:
  struct End;
  struct Prepared;

  void make_lanes_for(const Message& send);
  static End end_of(const Message& message, const Flag* flag);
  void exchange_ends(std::span<Prepared* const> messages);
  template <typename T>
  T* open(const RemoteAddress& remote, int peer);
  int turn_of(const Prepared* send) const;
  void queue_sends(std::span<const Prepared* const> sends, Stream stream);

  Communicator communicator_;
  CudaQueues& queues_;
  std::map<int, std::set<int>> peers_of_;  ///< to whom an exchange sends, by the tag of its messages
  std::size_t lane_count_ = 0;
  std::unique_ptr<DeviceBranches> lanes_;  ///< null where nothing is sent
  FlagPool flags_;
  OpenedMemory opened_;
  std::deque<Prepared> prepared_;
  std::size_t connected_ = 0;  ///< of prepared_
  bool is_connected_ = false;  ///< others may have memory of this process open
};

}  // namespace cpbench
