// Messages over MPI: persistent requests on datatypes that describe the tensors in place.
#pragma once

#include <vector>

#include "transport/communicator.hpp"
#include "transport/mpi_datatype.hpp"
#include "transport/transport.hpp"

namespace cpbench {

/// Ranks are those of the communicator that it is made from, of which it keeps a duplicate (so making one is
/// collective). MPI moves data only while it is called: `test` of any message advances all of them. Errors of MPI are
/// thrown as Error(kDevice). All messages must be done when it is destroyed.
class MpiTransport : public Transport {
 public:
  explicit MpiTransport(const Communicator& communicator);
  ~MpiTransport() override;
  MpiTransport(const MpiTransport&) = delete;
  MpiTransport& operator=(const MpiTransport&) = delete;

  MessageId prepare(const Message& message) override;
  void start(MessageId id) override;
  bool test(MessageId id) override;

 private:
  struct Prepared {
    MpiBuffer buffer;
    MPI_Request request;
  };
  MPI_Request& request(MessageId id) { return prepared_.at(static_cast<std::size_t>(id)).request; }

  Communicator communicator_;
  std::vector<Prepared> prepared_;
};

}  // namespace cpbench
