#include "transport/mpi_transport.hpp"

#include <utility>

#include "transport/mpi_session.hpp"

namespace cpbench {

MpiTransport::MpiTransport(const Communicator& communicator) : communicator_(communicator.duplicate()) {}

MpiTransport::~MpiTransport() {
  if (!mpi_is_active()) return;
  for (Prepared& prepared : prepared_) MPI_Request_free(&prepared.request);
}

Transport::MessageId MpiTransport::prepare(const Message& message) {
  const int tag = communicator_.require_tag(message.tag);
  Prepared prepared{describe(message), MPI_REQUEST_NULL};
  const auto& [address, count, type] = prepared.buffer;
  if (message.direction == Message::Direction::kSend) {
    check_mpi(
        MPI_Send_init(address, count, type.handle(), message.peer, tag, communicator_.handle(), &prepared.request),
        "MPI_Send_init");
  } else {
    check_mpi(
        MPI_Recv_init(address, count, type.handle(), message.peer, tag, communicator_.handle(), &prepared.request),
        "MPI_Recv_init");
  }
  prepared_.push_back(std::move(prepared));
  return static_cast<MessageId>(prepared_.size()) - 1;
}

void MpiTransport::start(MessageId id) { check_mpi(MPI_Start(&request(id)), "MPI_Start"); }

bool MpiTransport::test(MessageId id) {
  int done = 0;
  check_mpi(MPI_Test(&request(id), &done, MPI_STATUS_IGNORE), "MPI_Test");
  return done != 0;
}

}  // namespace cpbench
