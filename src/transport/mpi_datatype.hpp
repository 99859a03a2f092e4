// Strided boxes as MPI datatypes, so that MPI reads and writes tensors in place.
#pragma once

#include <mpi.h>

#include "transport/transport.hpp"

namespace cpbench {

/// A datatype that is freed with the object, unless it is predefined.
class Datatype {
 public:
  explicit Datatype(MPI_Datatype handle, bool owned = true) : handle_(handle), owned_(owned) {}
  ~Datatype();
  Datatype(Datatype&& other) noexcept;
  Datatype& operator=(Datatype&&) = delete;

  MPI_Datatype handle() const { return handle_; }

 private:
  MPI_Datatype handle_;
  bool owned_;
};

/// What an MPI call is told about a message. One contiguous run is bytes at an address; everything else is one element
/// of a committed datatype of absolute addresses. MPI-3 counts are ints, so runs of 2^31 bytes and more are counted in
/// larger elements.
struct MpiBuffer {
  void* address;
  int count;
  Datatype type;
};
MpiBuffer describe(const Message& message);

}  // namespace cpbench
