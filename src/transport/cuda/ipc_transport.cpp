#include "transport/cuda/ipc_transport.hpp"

#include <array>
#include <exception>
#include <stdexcept>

#include "transport/backoff.hpp"
#include "transport/cuda/strided_copy.hpp"
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
  std::array<MPI_Request, 2> requests{MPI_REQUEST_NULL, MPI_REQUEST_NULL};

  bool is_send() const { return message.direction == Message::Direction::kSend; }
};

IpcTransport::IpcTransport(const Communicator& communicator, const CudaQueues& queues)
    : communicator_(communicator.duplicate()), queues_(queues), exceptions_(std::uncaught_exceptions()) {}

IpcTransport::~IpcTransport() {
  opened_.close();
  // A rank that fails leaves the others; they are ended, and must not be waited for.
  if (std::uncaught_exceptions() == exceptions_ && mpi_is_active()) communicator_.barrier();
}

Transport::MessageId IpcTransport::prepare(const Message& message) {
  Prepared& prepared = prepared_.emplace_back();
  prepared.message = message;
  prepared.flag = flags_.make();
  begin_to_connect(prepared);
  return static_cast<MessageId>(prepared_.size()) - 1;
}

/// Each end sends the other its address card. Cards of senders and of receivers have tags of their own, so that two
/// ranks that send to each other do not mix them; those of one kind meet in the order in which messages are declared.
void IpcTransport::begin_to_connect(Prepared& p) {
  p.own.flag = remote_address_of(reinterpret_cast<const std::byte*>(p.flag));
  for (std::size_t i = 0; i < p.message.boxes.size(); ++i) {
    p.own.memory.at(i) = remote_address_of(p.message.boxes[i].data);
    p.own.boxes[i] = shape_of(p.message.boxes[i]);
  }
  const int from_sender = 2 * p.message.tag, from_receiver = from_sender + 1;
  const int sent = p.is_send() ? from_sender : from_receiver, received = p.is_send() ? from_receiver : from_sender;
  check_mpi(
      MPI_Irecv(&p.peers, sizeof(End), MPI_BYTE, p.message.peer, received, communicator_.handle(), &p.requests[0]),
      "MPI_Irecv");
  check_mpi(MPI_Isend(&p.own, sizeof(End), MPI_BYTE, p.message.peer, sent, communicator_.handle(), &p.requests[1]),
            "MPI_Isend");
}

void IpcTransport::connect() {
  for (; connected_ < prepared_.size(); ++connected_) {
    Prepared& p = prepared_[connected_];
    for (MPI_Request& request : p.requests) {
      int done = 0;
      for (Backoff backoff; done == 0; backoff.pause()) {
        check_mpi(MPI_Test(&request, &done, MPI_STATUS_IGNORE), "MPI_Test");
      }
    }
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

void IpcTransport::queue(std::span<const MessageId> messages, Stream stream) {
  const cudaStream_t queue = queues_.stream(stream);
  const auto for_each = [&](bool sends, auto&& visit) {
    for (const MessageId id : messages) {
      Prepared& p = prepared_.at(static_cast<std::size_t>(id));
      if (p.is_send() == sends) visit(p);
    }
  };
  for_each(false, [&](Prepared& p) { raise(p.peers_flag, queue); });
  for_each(true, [&](Prepared& p) {
    await(p.flag, queue);
    for (std::size_t i = 0; i < p.target.size(); ++i) queue_copy(p.target[i], p.message.boxes[i], queue);
    raise(p.peers_flag, queue);
  });
  for_each(false, [&](Prepared& p) { await(p.flag, queue); });
}

void IpcTransport::start(MessageId) { throw std::logic_error("messages by the copy engine are queued, not started"); }
bool IpcTransport::test(MessageId) { throw std::logic_error("messages by the copy engine are queued, not tested"); }

}  // namespace cpbench
