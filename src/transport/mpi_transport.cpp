#include "transport/mpi_transport.hpp"

#include <utility>

#include "transport/mpi_session.hpp"

namespace cpbench {
namespace {

int largest_tag_of(MPI_Comm handle) {
  int* value = nullptr;
  int found = 0;
  check_mpi(MPI_Comm_get_attr(handle, MPI_TAG_UB, &value, &found), "MPI_Comm_get_attr");
  return found != 0 ? *value : 32767;  // what the standard promises
}

}  // namespace

MpiTransport::MpiTransport(const Communicator& communicator)
    : communicator_(communicator.duplicate()), largest_tag_(largest_tag_of(communicator_.handle())) {}

MpiTransport::~MpiTransport() {
  if (!mpi_is_active()) return;
  for (Prepared& prepared : prepared_) MPI_Request_free(&prepared.request);
}

Transport::MessageId MpiTransport::prepare(const Message& message) {
  if (message.tag > largest_tag_) {
    throw Error(ExitCode::kDevice,
                fmt::format("message tag {} exceeds this MPI's largest, {}", message.tag, largest_tag_));
  }
  Prepared prepared{describe(message), MPI_REQUEST_NULL};
  const auto& [address, count, type] = prepared.buffer;
  if (message.direction == Message::Direction::kSend) {
    check_mpi(MPI_Send_init(address, count, type.handle(), message.peer, message.tag, communicator_.handle(),
                            &prepared.request),
              "MPI_Send_init");
  } else {
    check_mpi(MPI_Recv_init(address, count, type.handle(), message.peer, message.tag, communicator_.handle(),
                            &prepared.request),
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
