#include "transport/cuda/ipc_transport.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <stdexcept>

#include "transport/backoff.hpp"
#include "transport/cuda/box_copy.hpp"
#include "transport/mpi_session.hpp"

namespace cpbench {
namespace {

constexpr std::size_t kBoxes = 2;

/// A box without its address.
TensorView shape_of(TensorView box) {
  box.data = nullptr;
  return box;
}

}  // namespace

/// What one end of a message tells the other, as plain bytes.
struct IpcTransport::End {
  RemoteAddress flag;  ///< ready, of the sender; arrived, of the receiver
  std::array<RemoteAddress, kBoxes> memory;
  std::array<TensorView, kBoxes> boxes;
};

struct IpcTransport::Prepared {
  Message message;
  Flag* flag = nullptr;  ///< the own one
  Flag* peers_flag = nullptr;
  std::vector<TensorView> target;  ///< of a send: the receiver's boxes
  End own, peers;

  bool is_send() const { return message.direction == Message::Direction::kSend; }
};

IpcTransport::IpcTransport(const Communicator& communicator, CudaQueues& queues)
    : communicator_(communicator.duplicate()), queues_(queues) {}

IpcTransport::~IpcTransport() {
  opened_.close();
  if (is_connected_ && mpi_is_active()) communicator_.barrier();
}

Transport::MessageId IpcTransport::prepare(const Message& message) {
  Prepared& prepared = prepared_.emplace_back();
  prepared.message = message;
  communicator_.require_tag(std::int64_t{2} * message.tag + 1);  // see exchange_ends
  prepared.flag = flags_.make();
  prepared.own = end_of(prepared.message, prepared.flag);
  if (prepared.is_send()) make_lanes_for(message);
  return static_cast<MessageId>(prepared_.size()) - 1;
}

/// Here and not where they are needed first: that may be while a graph is recorded.
void IpcTransport::make_lanes_for(const Message& send) {
  std::set<int>& peers = peers_of_[send.tag];
  peers.insert(send.peer);
  const std::size_t lanes = std::min(peers.size(), kLanes);
  if (lanes > lane_count_) lanes_ = queues_.make_branches(lanes);
  lane_count_ = std::max(lanes, lane_count_);
}

IpcTransport::End IpcTransport::end_of(const Message& message, const Flag* flag) {
  End end{};
  end.flag = remote_address_of(reinterpret_cast<const std::byte*>(flag));
  for (std::size_t i = 0; i < message.boxes.size(); ++i) {
    end.memory.at(i) = remote_address_of(message.boxes[i].data);
    end.boxes[i] = shape_of(message.boxes[i]);
  }
  return end;
}

/// Each end sends the other its address card. Cards of senders and of receivers have tags of their own, so that two
/// ranks that send to each other do not mix them; those of one kind meet in the order in which messages are declared.
void IpcTransport::exchange_ends(std::span<Prepared* const> messages) {
  std::vector<MPI_Request> requests;
  for (Prepared* const p : messages) {
    const int from_sender = 2 * p->message.tag, from_receiver = from_sender + 1;
    const int sent = p->is_send() ? from_sender : from_receiver, received = p->is_send() ? from_receiver : from_sender;
    const int peer = p->message.peer;
    check_mpi(
        MPI_Irecv(&p->peers, sizeof(End), MPI_BYTE, peer, received, communicator_.handle(), &requests.emplace_back()),
        "MPI_Irecv");
    check_mpi(MPI_Isend(&p->own, sizeof(End), MPI_BYTE, peer, sent, communicator_.handle(), &requests.emplace_back()),
              "MPI_Isend");
  }
  for (MPI_Request& request : requests) {
    int done = 0;
    for (Backoff backoff; done == 0; backoff.pause()) {
      check_mpi(MPI_Test(&request, &done, MPI_STATUS_IGNORE), "MPI_Test");
    }
  }
}

/// Cards go here and not where a message is declared: what fails before leaves nothing under way.
void IpcTransport::connect() {
  is_connected_ = true;
  std::vector<Prepared*> fresh;
  for (; connected_ < prepared_.size(); ++connected_) fresh.push_back(&prepared_[connected_]);
  exchange_ends(fresh);
  for (Prepared* const fresh_one : fresh) {
    Prepared& p = *fresh_one;
    p.peers_flag = open<Flag>(p.peers.flag, p.message.peer);
    for (std::size_t i = 0; p.is_send() && i < p.message.boxes.size(); ++i) {
      TensorView box = p.peers.boxes.at(i);
      box.data = open<std::byte>(p.peers.memory[i], p.message.peer);
      p.target.push_back(box);
    }
  }
}

/// A process does not open its own memory.
template <typename T>
T* IpcTransport::open(const RemoteAddress& remote, int peer) {
  return reinterpret_cast<T*>(peer == communicator_.rank() ? remote.address : opened_.open(remote));
}

/// The next rank first and so on around: where all send to all, each then sends to other ones, and not all of them over
/// the links of the same one. Itself last, for the driver lets multiprocessors copy within a device: behind a kernel
/// that stays on all of them that would hold up what others are sent in its lane.
int IpcTransport::turn_of(const Prepared* send) const {
  const int ranks = communicator_.size();
  return (send->message.peer - communicator_.rank() - 1 + ranks) % ranks;
}

void IpcTransport::queue(std::span<const MessageId> messages, Stream stream) {
  const cudaStream_t queue = queues_.stream(stream);
  std::vector<Prepared*> receives, sends;
  for (const MessageId id : messages) {
    Prepared& p = prepared_.at(static_cast<std::size_t>(id));
    (p.is_send() ? sends : receives).push_back(&p);
  }
  std::ranges::stable_sort(sends, {}, [this](const Prepared* send) { return turn_of(send); });
  for (const Prepared* p : receives) raise(p->peers_flag, queue);
  queue_sends(sends, stream);
  for (const Prepared* p : receives) await(p->flag, queue);
}

/// Peers take lanes in turn, and all that one of them is sent stays in its lane, in order.
void IpcTransport::queue_sends(std::span<const Prepared* const> sends, Stream stream) {
  if (sends.empty()) return;
  std::array<std::vector<const Prepared*>, kLanes> lanes;
  std::size_t peers = 0;
  for (std::size_t i = 0; i < sends.size(); ++i) {
    if (i == 0 || sends[i]->message.peer != sends[i - 1]->message.peer) ++peers;
    lanes.at((peers - 1) % kLanes).push_back(sends[i]);
  }
  std::vector<std::function<void()>> queue_lane;
  for (const auto& lane : lanes) {
    if (lane.empty()) continue;
    queue_lane.emplace_back([this, &lane, stream] {
      const cudaStream_t queue = queues_.stream(stream);
      for (const Prepared* p : lane) {
        await(p->flag, queue);
        for (std::size_t i = 0; i < p->target.size(); ++i) queue_copy(p->target[i], p->message.boxes[i], queue);
        raise(p->peers_flag, queue);
      }
    });
  }
  lanes_->queue(stream, queue_lane);
}

void IpcTransport::start(MessageId) { throw std::logic_error("messages by ipc are queued, not started"); }
bool IpcTransport::test(MessageId) { throw std::logic_error("messages by ipc are queued, not tested"); }

}  // namespace cpbench
